// Copyright (c) 2026, Cutover contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Stands in for kube-state-metrics, which no registry of the test machine has: the series that the alerts read, under
// its names, listed anew for every scrape. It takes the same arguments and needs the same rights. For tests only.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

func main() {
	namespaces := flag.String("namespaces", "default", "the namespaces to list, with commas between")
	port := flag.Int("port", 8080, "where to listen")
	flag.String("resources", "", "taken for the sake of the real one")
	flag.String("metric-allowlist", "", "taken for the sake of the real one")
	flag.Int("telemetry-port", 8081, "taken for the sake of the real one")
	flag.Parse()
	cluster, err := inside()
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	http.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		var page strings.Builder
		for _, namespace := range strings.Split(*namespaces, ",") {
			if err := cluster.describe(&page, namespace); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		fmt.Fprint(w, page.String())
	})
	server := &http.Server{Addr: fmt.Sprintf(":%d", *port), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

type api struct {
	host   string
	client *http.Client
}

func inside() (*api, error) {
	authority, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	host := os.Getenv("KUBERNETES_SERVICE_HOST") + ":" + os.Getenv("KUBERNETES_SERVICE_PORT")
	return &api{"https://" + host, &http.Client{Transport: transport, Timeout: 10 * time.Second}}, nil
}

// list fills into with what the collection holds. The token is read each time: it changes every hour.
func (a *api) list(path string, into any) error {
	token, err := os.ReadFile(account + "token")
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodGet, a.host+path+"?resourceVersion=0", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	answer, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
