package main

import "testing"

func TestOnlyLoopbackIsATarget(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:30000":     "127.0.0.1:30000",
		"http://127.8.9.1":           "127.8.9.1:80",
		"http://[::1]:8080/":         "[::1]:8080",
		"http://localhost:1":         "127.0.0.1:1",
		"http://10.0.0.1:80":         "",
		"http://192.168.1.1":         "",
		"http://0.0.0.0:80":          "",
		"http://169.254.1.1":         "",
		"http://example.org":         "",
		"http://localhost.evil.io":   "",
		"http://127.0.0.1@10.0.0.1/": "",
		"http://127.1:80":            "",
		"https://127.0.0.1:443":      "",
		"127.0.0.1:80":               "",
		"":                           "",
	} {
		got, err := parseTarget(text)
		if got.address != want || (want == "") != (err != nil) {
			t.Errorf("%q: %q, %v", text, got.address, err)
		}
	}
}

func TestMessages(t *testing.T) {
	got, err := parseMessage(`POST /notes {"text":"a b"}`, "127.0.0.1:1")
	if err != nil || got.method != "POST" {
		t.Fatal(got, err)
	}
	for _, bad := range []string{"", "GET", "GET notes", "/notes", "GET /a\r\nX: y"} {
		if _, err := parseMessage(bad, "x"); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestRunsAreBounded(t *testing.T) {
	for name, arguments := range map[string][]string{
		"no length":    {"-fresh-rate", "1"},
		"too long":     {"-fresh-rate", "1", "-seconds", "3601"},
		"no rate":      {"-seconds", "1"},
		"rate":         {"-fresh-rate", "3000", "-keepalive-rate", "3000", "-seconds", "1"},
		"negative":     {"-fresh-rate", "-1", "-keepalive-rate", "2", "-seconds", "1"},
		"not a number": {"-fresh-rate", "NaN", "-seconds", "1"},
		"requests":     {"-fresh-rate", "5000", "-seconds", "3600"},
		"timeout":      {"-fresh-rate", "1", "-seconds", "1", "-timeout", "2m"},
		"more words":   {"-fresh-rate", "1", "-seconds", "1", "http://127.0.0.1"},
	} {
		if _, err := parseOptions(arguments, discard{}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

type discard struct{}

func (discard) Write(data []byte) (int, error) { return len(data), nil }
