package shell

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/cmd/plinth/internal/fakestore"
	"github.com/plinthdb/plinth/kv"
)

// TestEachCommandPrintsOneLineOfJSON runs lines of words that are often
// commands, and sometimes fail.
func TestEachCommandPrintsOneLineOfJSON(t *testing.T) {
	words := append(verbNames(), "a", "b", `""`, `\xff`, "1", "on", "off", "json", "ge", "add", "timeout", "configure", "tuples", `\("a", 1)`, `\(`, ";", ";", `"`)
	words = allBut(words, "watch") // It waits for somebody else.
	words = allBut(words, "sleep")
	rapid.Check(t, func(r *rapid.T) {
		db := kv.NewDatabase(fakestore.New())
		var out, errOut strings.Builder
		s := NewSession(Config{Database: db, Out: &out, ErrOut: &errOut, JSON: true, Color: true})
		for range rapid.IntRange(1, 6).Draw(r, "lines") {
			line := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 6).Draw(r, "line"), " ")
			out.Reset()
			err := s.Run(t.Context(), line)
			checkAnswers(r, line, out.String(), err)
		}
		s.Rollback()
		if err := db.Close(); err != nil {
			r.Fatal(err)
		}
	})
}

// allBut returns words without one of them.
func allBut(words []string, which string) []string {
	var out []string
	for _, word := range words {
		if word != which {
			out = append(out, word)
		}
	}
	return out
}

// checkAnswers checks H4 for a line and its error.
func checkAnswers(r *rapid.T, line, printed string, err error) {
	var failed *CommandError
	if err != nil && !errors.Is(err, ErrExit) && !errors.As(err, &failed) {
		r.Fatalf("%q: %v is neither ErrExit nor a CommandError", line, err)
	}
	commands, parseErr := Parse(line)
	lines := strings.Split(strings.TrimSuffix(printed, "\n"), "\n")
	if printed == "" {
		lines = nil
	}
	for i, text := range lines {
		var a struct {
			Command string
			OK      *bool
			Error   *failure
		}
		if err := json.Unmarshal([]byte(text), &a); err != nil || a.OK == nil || *a.OK != (a.Error == nil) {
			r.Fatalf("H4: %q printed %q, %v", line, text, err)
		}
		if parseErr == nil && a.Command != Quote(commands[i]) {
			r.Fatalf("H4: answer %d of %q is %q", i, line, text)
		}
		if last := i == len(lines)-1; a.Error != nil && (!last || failed == nil) {
			r.Fatalf("H3: %q went on after an error, or did not return it: %q, %v", line, printed, err)
		}
	}
	if err == nil && len(lines) != len(commands) {
		r.Fatalf("H4: %q has %d commands and %d answers", line, len(commands), len(lines))
	}
}
