package main

import (
	"html/template"
	"net/http"
)

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>notes</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:0 auto;padding:0 1rem 2rem}
header{margin:0 -1rem 1rem;padding:1rem;color:#fff;background:{{.Shade}}}h1{margin:0}
li{margin:.25rem 0}small{color:#555}header small{color:#fff}</style>
<header><h1>notes</h1><small>version {{.Version}}, colour {{.Colour}}</small></header>
<form method="post" action="/notes"><label>New note <input name="text" required maxlength="4000"></label>
{{if .Tags}}<label>Tag <input name="tag" maxlength="100"></label>{{end}} <button>Add</button></form>
<ul>{{range .Notes}}<li>{{.Text}} {{if .Tag}}<small>#{{.Tag}}</small>{{end}}{{else}}No notes yet.{{end}}</ul>
`))

func (a *app) page(w http.ResponseWriter, r *http.Request) {
	notes, err := a.store.list(r.Context(), "", 20)
	if err != nil {
		a.databaseFailed(w, "list notes", err)
		return
	}
	shade := map[string]template.CSS{"blue": "#1f4e9c", "green": "#1c6b3c"}[a.settings.colour]
	if shade == "" {
		shade = "#444"
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	err = pageTemplate.Execute(w, map[string]any{
		"Version": a.settings.version, "Colour": a.settings.colour, "Shade": shade,
		"Tags": a.settings.schema >= 2, "Notes": notes,
	})
	if err != nil {
		a.log.Error("cannot write the page", "error", err.Error())
	}
}
