package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// memoryStore stands in for PostgreSQL where only the HTTP side is looked at.
type memoryStore struct {
	mu      sync.Mutex
	notes   []note
	err     error
	columns []string
	schema  int
	block   chan struct{}
}

func (m *memoryStore) check(context.Context) error {
	if m.err != nil {
		return m.err
	}
	return checkColumns(m.columns, m.schema)
}

func (m *memoryStore) create(_ context.Context, text, tag string) (note, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	made := note{ID: int64(len(m.notes) + 1), Text: text, Tag: tag, CreatedAt: time.Unix(0, 0).UTC()}
	m.notes = append(m.notes, made)
	return made, m.err
}

func (m *memoryStore) list(context.Context, string, int) ([]note, error) {
	if m.block != nil {
		<-m.block
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.notes, m.err
}

func (m *memoryStore) pool() poolState { return poolState{used: 1, idle: 2, max: 8} }

func testApp(change func(*settings, *memoryStore)) (*app, *memoryStore, *bytes.Buffer) {
	s := settings{version: "1.0.0", colour: "blue", pod: "shop-1", schema: 1, drainDelay: 50 * time.Millisecond, drainLimit: time.Second}
	db := &memoryStore{columns: []string{"id", "text", "created_at"}, schema: 1}
	if change != nil {
		change(&s, db)
	}
	output := &bytes.Buffer{}
	return newApp(s, db, slog.New(slog.NewJSONHandler(output, nil))), db, output
}

func call(a http.Handler, method, path, body string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	a.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	return answer
}

func TestNotesAreCreatedAndListedWithVersionAndColour(t *testing.T) {
	a, _, _ := testApp(nil)
	h := a.handler()
	made := call(h, "POST", "/notes", `{"text":"hello"}`)
	if made.Code != http.StatusCreated {
		t.Fatalf("%d %s", made.Code, made.Body)
	}
	if made.Header().Get("X-App-Version") != "1.0.0" || made.Header().Get("X-App-Colour") != "blue" ||
		made.Header().Get("X-App-Pod") != "shop-1" {
		t.Errorf("headers %v", made.Header())
	}
	var list struct{ Notes []note }
	if err := json.Unmarshal(call(h, "GET", "/notes?q=h", "").Body.Bytes(), &list); err != nil || len(list.Notes) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if page := call(h, "GET", "/", ""); page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "hello") {
		t.Errorf("page %d", page.Code)
	}
}

func TestPageEscapesNotes(t *testing.T) {
	a, _, _ := testApp(nil)
	h := a.handler()
	call(h, "POST", "/notes", `{"text":"<script>x</script>"}`)
	if strings.Contains(call(h, "GET", "/", "").Body.String(), "<script>") {
		t.Error("a note reached the page as markup")
	}
}

func TestFormGoesBackToThePage(t *testing.T) {
	a, db, _ := testApp(nil)
	answer := call(a.handler(), "POST", "/notes", "text=from+a+form&tag=x")
	if answer.Code != http.StatusSeeOther || len(db.notes) != 1 || db.notes[0].Text != "from a form" {
		t.Errorf("%d %v", answer.Code, db.notes)
	}
}

func TestBadInputIsRefused(t *testing.T) {
	a, db, _ := testApp(nil)
	h := a.handler()
	for name, body := range map[string]string{
		"empty": "", "broken": "{", "no text": "{}", "long": `{"text":"` + strings.Repeat("x", maxNote+1) + `"}`,
		"zero": `{"text":"a\u0000b"}`, "huge": strings.Repeat("x", maxBody+1), "long tag": `{"text":"a","tag":"` + strings.Repeat("x", maxTag+1) + `"}`,
	} {
		if code := call(h, "POST", "/notes", body).Code; code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, code)
		}
	}
	if len(db.notes) != 0 {
		t.Errorf("%d notes made", len(db.notes))
	}
}

func TestReadinessNamesTheCause(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*settings, *memoryStore)
		want   string
	}{
		"ready":        {nil, `"status":"ready"`},
		"no table":     {func(_ *settings, m *memoryStore) { m.columns = nil }, "0001_create_notes.sql"},
		"no column":    {func(_ *settings, m *memoryStore) { m.schema = 2 }, "column notes.tag is missing"},
		"old with tag": {func(_ *settings, m *memoryStore) { m.columns = append(m.columns, "tag") }, `"status":"ready"`},
		"database":     {func(_ *settings, m *memoryStore) { m.err = errors.New("database does not answer: refused") }, "does not answer"},
		"never":        {func(s *settings, _ *memoryStore) { s.fault.name = "neverready" }, "warming up"},
	} {
		a, _, _ := testApp(test.change)
		answer := call(a.handler(), "GET", "/readyz", "")
		if !strings.Contains(answer.Body.String(), test.want) {
			t.Errorf("%s: %s", name, answer.Body)
		}
		if ok := strings.Contains(test.want, `"ready"`); ok != (answer.Code == http.StatusOK) {
			t.Errorf("%s: code %d", name, answer.Code)
		}
		if call(a.handler(), "GET", "/healthz", "").Code != http.StatusOK {
			t.Errorf("%s: not alive", name)
		}
	}
}

func TestDatabaseErrorsStayInTheLog(t *testing.T) {
	a, _, output := testApp(func(_ *settings, m *memoryStore) { m.err = errors.New("host 10.0.0.9 said no") })
	answer := call(a.handler(), "GET", "/notes", "")
	if answer.Code != http.StatusServiceUnavailable || strings.Contains(answer.Body.String(), "10.0.0.9") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if !strings.Contains(output.String(), "10.0.0.9") {
		t.Error("the cause is not in the log")
	}
}

func TestErrorsFaultHitsExactlyOneOfN(t *testing.T) {
	a, _, _ := testApp(func(s *settings, _ *memoryStore) { s.fault = fault{name: "errors", every: 20} })
	h, bad := a.handler(), 0
	for i := range 200 {
		path := []string{"/", "/notes"}[i%2]
		if call(h, "GET", path, "").Code == http.StatusInternalServerError {
			bad++
		}
		if call(h, "GET", "/readyz", "").Code != http.StatusOK {
			t.Fatal("a probe was hit")
		}
	}
	if bad != 10 {
		t.Errorf("%d of 200 answers were 500", bad)
	}
	if text := call(h, "GET", "/metrics", "").Body.String(); !strings.Contains(text, `http_requests_total{code="500",method="GET",route="/notes"} 10`) {
		t.Errorf("the scrape does not count them:\n%s", text)
	}
}

func TestSlowFaultDelaysOneOfN(t *testing.T) {
	a, _, _ := testApp(func(s *settings, _ *memoryStore) {
		s.fault = fault{name: "slow", every: 5, delay: 30 * time.Millisecond}
	})
	h, slow := a.handler(), 0
	for range 20 {
		start := time.Now()
		call(h, "GET", "/notes", "")
		if time.Since(start) >= 30*time.Millisecond {
			slow++
		}
	}
	if slow < 4 {
		t.Errorf("%d of 20 answers were slow", slow)
	}
}

func TestMetricsHaveCumulativeBuckets(t *testing.T) {
	m := newMetrics("1.0.0", "blue")
	for _, seconds := range []float64{0.001, 0.005, 0.02, 99} {
		m.observe("GET", "/", 200, seconds)
	}
	var out bytes.Buffer
	m.write(&out, poolState{}, true)
	for _, line := range []string{
		`app_info{version="1.0.0",colour="blue"} 1`, "app_ready 1", `http_requests_total{code="200",method="GET",route="/"} 4`,
		`http_request_duration_seconds_bucket{route="/",le="0.005"} 2`, `http_request_duration_seconds_bucket{route="/",le="10"} 3`,
		`http_request_duration_seconds_bucket{route="/",le="+Inf"} 4`, `http_request_duration_seconds_count{route="/"} 4`,
	} {
		if !strings.Contains(out.String(), line+"\n") {
			t.Errorf("missing %s", line)
		}
	}
}

func TestPanicIsA500(t *testing.T) {
	a, _, _ := testApp(nil)
	handle := a.measured("/x", func(http.ResponseWriter, *http.Request) { panic("boom") })
	answer := httptest.NewRecorder()
	handle(answer, httptest.NewRequest("GET", "/x", nil))
	if body, _ := io.ReadAll(answer.Body); answer.Code != http.StatusInternalServerError || strings.Contains(string(body), "boom") {
		t.Errorf("%d %s", answer.Code, body)
	}
}
