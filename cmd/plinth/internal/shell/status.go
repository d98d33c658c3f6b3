package shell

import (
	"context"
	"encoding/json"
	"fmt"
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
}

// StatusFact is one line: what, and its value with the unit.
type StatusFact struct{ Name, Value string }

// statusDocument is what status json prints.
type statusDocument struct {
	Available         bool       `json:"available"`
	Error             string     `json:"error,omitempty"`
	ReadVersion       kv.Version `json:"read_version,omitempty"`
	ReadVersionMillis float64    `json:"read_version_millis,omitempty"`
	Store             any        `json:"store,omitempty"`
}

// printStatus tries the database, which tells more than any description.
func (s *Session) printStatus(ctx context.Context, args [][]byte) error {
	form := ""
	if len(args) == 1 {
		form = string(args[0])
	}
	if form != "" && form != "json" && form != "minimal" {
		return &usage{verbs()["status"]}
	}
	begin := time.Now()
	version, err := kv.ReadTransact(ctx, s.db, func(r kv.Reader) (kv.Version, error) { return r.ReadVersion() })
	took := time.Since(begin)

	var status Status
	if s.status != nil && form != "minimal" {
		described, statusErr := s.status(ctx)
		if statusErr != nil {
			return statusErr
		}
		status = described
	}
	switch form {
	case "json":
		return s.printStatusJSON(statusDocument{
			Available: err == nil, Error: textOf(err), ReadVersion: version,
			ReadVersionMillis: float64(took.Microseconds()) / 1000, Store: status.Document,
		})
	case "minimal":
		s.printAvailable(err)
		return nil
	}
	s.printAvailable(err)
	if err == nil {
		fmt.Fprintf(s.out, "Read version %d, got in %s.\n", version, took.Round(time.Microsecond))
	}
	for _, section := range status.Sections {
		fmt.Fprintf(s.out, "\n%s\n", section.Heading)
		for _, f := range section.Facts {
			fmt.Fprintf(s.out, "  %-24s %s\n", f.Name, f.Value)
		}
	}
	return nil
}

func (s *Session) printAvailable(err error) {
	if err == nil {
		fmt.Fprintln(s.out, "The database is available.")
		return
	}
	fmt.Fprintf(s.out, "The database is unavailable: %s\n", errorText(err))
}

func (s *Session) printStatusJSON(d statusDocument) error {
	encoder := json.NewEncoder(s.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return errorText(err)
}
