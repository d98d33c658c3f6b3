package shell

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// StatusFunc describes the store.
type StatusFunc func(context.Context) (Status, error)

// Status describes a store in sections for people and as one document for
// scripts.
type Status struct {
	Sections []StatusSection
	// Document is written as JSON under "store".
	Document any
}

// StatusSection is a heading with facts below it.
type StatusSection struct {
	Heading string
	Facts   []StatusFact
	// Details are printed by status details only.
	Details []StatusFact
}

// StatusFact is one line: what, and its value with the unit.
type StatusFact struct{ Name, Value string }

// statusDocument is what status plinth prints.
type statusDocument struct {
	Available         bool       `json:"available"`
	Error             string     `json:"error,omitempty"`
	ReadVersion       kv.Version `json:"read_version,omitempty"`
	ReadVersionMillis float64    `json:"read_version_millis,omitempty"`
	Store             any        `json:"store,omitempty"`
}

// printStatus tries the database, which tells more than any description.
func (s *Session) printStatus(ctx context.Context, args [][]byte) (reply, error) {
	form := ""
	if len(args) == 1 {
		form = string(args[0])
	}
	if form != "" && !slices.Contains(statusForms(), form) {
		return reply{}, usageOf("status")
	}
	if form == "json" {
		return s.statusJSON(ctx)
	}
	begin := time.Now()
	version, err := kv.ReadTransact(ctx, s.db, func(r kv.Reader) (kv.Version, error) { return r.ReadVersion() }, kv.WithReadLockAware(true))
	took := time.Since(begin)

	var status Status
	if s.status != nil && (form != "minimal" || s.json) {
		described, statusErr := s.status(ctx)
		if statusErr != nil {
			return reply{}, statusErr
		}
		status = described
	}
	document := statusDocument{
		Available: err == nil, Error: textOf(err), ReadVersion: version,
		ReadVersionMillis: float64(took.Microseconds()) / 1000, Store: status.Document,
	}
	if form == "plinth" {
		text, err := json.MarshalIndent(document, "", "  ")
		return reply{string(text) + "\n", document}, err
	}
	text := availability(err)
	if err == nil && form != "minimal" {
		text += fmt.Sprintf("Read version %d, got in %s.\n", version, took.Round(time.Microsecond))
	}
	if form != "minimal" {
		text += s.sectionsText(status.Sections, form == "details")
	}
	return reply{text, document}, nil
}

// statusForms are the arguments of status.
func statusForms() []string { return []string{"minimal", "details", "json", "plinth"} }

// statusJSONKey is the special key of the status in FoundationDB's schema.
const statusJSONKey = "\xff\xff/status/json"

// statusJSON prints that status, which is there also if the database cannot be
// used.
func (s *Session) statusJSON(ctx context.Context) (reply, error) {
	document, err := kv.ReadTransact(ctx, s.db, func(r kv.Reader) ([]byte, error) { return r.Get([]byte(statusJSONKey)).Wait() }, kv.WithReadLockAware(true))
	if err != nil {
		return reply{}, err
	}
	if document == nil {
		return reply{}, &misuse{"this store does not describe itself in FoundationDB's schema: use `status' or `status plinth'"}
	}
	var text bytes.Buffer
	if err := json.Indent(&text, document, "", "  "); err != nil {
		return reply{}, fmt.Errorf("the store's status is no JSON: %w", err)
	}
	return reply{text.String() + "\n", json.RawMessage(document)}, nil
}

// sectionsText is the description of a store for people.
func (s *Session) sectionsText(sections []StatusSection, details bool) string {
	var b strings.Builder
	for _, section := range sections {
		facts := section.Facts
		if details {
			facts = slices.Concat(facts, section.Details)
		}
		if len(facts) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", s.paint(bold, section.Heading))
		for _, f := range facts {
			fmt.Fprintf(&b, "  %-24s %s\n", f.Name, f.Value)
		}
	}
	return b.String()
}

// availability says whether the database can be used.
func availability(err error) string {
	if err == nil {
		return "The database is available.\n"
	}
	return fmt.Sprintf("The database is unavailable: %s\n", errorText(err))
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return errorText(err)
}
