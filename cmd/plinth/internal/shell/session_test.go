package shell

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/plinthdb/plinth/cmd/plinth/internal/fakestore"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// output is a buffer that two goroutines may use.
type output struct {
	mu struct {
		sync.Mutex
		bytes.Buffer
	}
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.String()
}

// newSession returns a session of the given configuration on an empty store;
// both outputs are one.
func newSession(t *testing.T, c Config) (*fakestore.Store, *Session, *output) {
	store := fakestore.New()
	db := kv.NewDatabase(store)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	out := &output{}
	c.Database, c.Out, c.ErrOut = db, out, out
	return store, NewSession(c), out
}

func TestWatchWaitsForAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, out := newSession(t, Config{})
		store.Put("a key", "1")
		done := make(chan error)
		go func() { done <- s.Run(t.Context(), `watch "a key"`) }()
		synctest.Wait()
		if want := "Watching `a key'\n"; out.String() != want {
			t.Errorf("printed %q, want %q", out, want)
		}
		store.Put("another key", "x")
		synctest.Wait()
		store.Put("a key", "2")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if want := "Watching `a key'\n`a key' is `2'\n"; out.String() != want {
			t.Errorf("printed %q, want %q", out, want)
		}
		if err := s.Run(t.Context(), "begin; watch a"); err == nil {
			t.Error("watch worked in a transaction")
		}
	})
}

func TestAnInterruptionEndsTheCommandAndItsTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, out := newSession(t, Config{})
		ctx, interrupt := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx, "watch a") }()
		synctest.Wait()
		interrupt()
		if err := <-done; !errors.Is(err, context.Canceled) || !strings.HasSuffix(out.String(), "ERROR: interrupted\n") {
			t.Errorf("interrupted: %v, printed %q", err, out)
		}

		held := make(chan struct{})
		store.Fault = func(call fakestore.Call, _ wire.Version) error {
			if call == fakestore.GetValues {
				<-held
			}
			return nil
		}
		ctx, interrupt = context.WithCancel(t.Context())
		go func() { done <- s.Run(ctx, "begin; set a 1; get b") }()
		synctest.Wait()
		interrupt()
		synctest.Wait()
		close(held)
		err := <-done
		if !errors.Is(err, context.Canceled) || s.InTransaction() {
			t.Errorf("interrupted: %v, still in a transaction: %v", err, s.InTransaction())
		}
		if !strings.Contains(out.String(), "Rolling back current transaction") {
			t.Errorf("printed %q", out)
		}
		if err := s.Run(t.Context(), "begin; set a 1; commit"); err != nil {
			t.Errorf("the next transaction: %v", err)
		}
	})
}

func TestATransactionOutlivesTheContextsOfItsCommands(t *testing.T) {
	store, s, _ := newSession(t, Config{})
	for _, line := range []string{"begin", "get a", "set a 1", "commit"} {
		ctx, cancel := context.WithCancel(t.Context())
		if err := s.Run(ctx, line); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		cancel()
	}
	if len(store.Rows()) != 1 {
		t.Errorf("the store has %d rows", len(store.Rows()))
	}
}

// person is a Prompter with prepared answers.
type person struct {
	lines   []string // "^C" gives up on the line
	prompts []string
	entered []string
}

func (p *person) Prompt(prompt string) (string, error) {
	p.prompts = append(p.prompts, prompt)
	if len(p.lines) == 0 {
		return "", io.EOF
	}
	line := p.lines[0]
	p.lines = p.lines[1:]
	if line == "^C" {
		return "", ErrAborted
	}
	p.entered = append(p.entered, line)
	return line, nil
}

func (p *person) History() []string { return p.entered }

func TestInteractingGoesOnAfterErrors(t *testing.T) {
	store, s, out := newSession(t, Config{})
	p := &person{lines: []string{"get", "^C", "", "set a 1", "begin", "set b 1"}}
	commandContext := func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) }
	if err := s.Interact(p, commandContext); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.prompts, ""); got != strings.Repeat("plinth> ", 5)+"plinth*> plinth*> " {
		t.Errorf("prompts %q", got)
	}
	if !strings.HasSuffix(out.String(), "Rolling back current transaction\n") || len(store.Rows()) != 1 {
		t.Errorf("%d rows, printed\n%s", len(store.Rows()), out)
	}

	p = &person{lines: []string{"exit", "set c 1"}}
	if err := s.Interact(p, commandContext); err != nil || len(p.lines) != 1 {
		t.Errorf("after exit: %v, lines left %q", err, p.lines)
	}
}

func TestStatusDescribesTheStore(t *testing.T) {
	describe := func(context.Context) (Status, error) {
		return Status{
			Sections: []StatusSection{
				{Heading: "Log", Facts: []StatusFact{{"kept", "12 MB"}}, Details: []StatusFact{{"syncs", "7"}}},
				{Heading: "Inside", Details: []StatusFact{{"answers", "3"}}},
			},
			Document: map[string]int{"logBytes": 12},
		}, nil
	}
	store, s, out := newSession(t, Config{Status: describe})
	if err := s.Run(t.Context(), "status"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"The database is available.\n", "Read version 1000, got in ", "\nLog\n  kept ", "12 MB\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}

	if strings.Contains(out.String(), "syncs") || strings.Contains(out.String(), "Inside") {
		t.Errorf("details without being asked for:\n%s", out)
	}
	if got := runFresh(t, s, out, "status details"); !strings.Contains(got, "12 MB\n  syncs ") || !strings.Contains(got, "\nInside\n  answers ") {
		t.Errorf("status details:\n%s", got)
	}

	var document struct {
		Available   bool
		ReadVersion int64 `json:"read_version"`
		Error       string
		Store       map[string]int
	}
	if err := json.Unmarshal([]byte(runFresh(t, s, out, "status plinth")), &document); err != nil {
		t.Fatal(err)
	}
	if !document.Available || document.ReadVersion != 1000 || document.Store["logBytes"] != 12 {
		t.Errorf("status plinth: %+v", document)
	}

	store.Fault = func(fakestore.Call, wire.Version) error { return wire.ErrDatabaseClosed }
	if got := runFresh(t, s, out, "status minimal"); got != "The database is unavailable: database is closed (9001)\n" {
		t.Errorf("status minimal of a closed store: %q", got)
	}
	if err := json.Unmarshal([]byte(runFresh(t, s, out, "status plinth")), &document); err != nil {
		t.Fatal(err)
	}
	if document.Available || document.Error == "" {
		t.Errorf("status plinth of a closed store: %+v", document)
	}
	if err := s.Run(t.Context(), "status nonsense"); err == nil {
		t.Error("status nonsense worked")
	}
}

// runFresh returns what a line prints.
func runFresh(t *testing.T, s *Session, out *output, line string) string {
	t.Helper()
	before := len(out.String())
	if err := s.Run(t.Context(), line); err != nil {
		t.Errorf("%s: %v", line, err)
	}
	return out.String()[before:]
}

func TestExecEndsWithItsError(t *testing.T) {
	store, s, _ := newSession(t, Config{})
	var failed *CommandError
	err := s.RunExec(t.Context(), `set a 1; get "a b" c; set a 2`)
	if !errors.As(err, &failed) || err.Error() != "`get a\\x20b c': usage: get <KEY>" {
		t.Errorf("error %v", err)
	}
	if string(store.Rows()[0].Value) != "1" {
		t.Errorf("a is %q", store.Rows()[0].Value)
	}
	if err := s.RunExec(t.Context(), "begin; exit; nonsense"); err != nil || s.InTransaction() {
		t.Errorf("exit: %v", err)
	}
}

func TestAnOverlongScriptLineIsAnError(t *testing.T) {
	_, s, _ := newSession(t, Config{})
	err := s.RunScript(t.Context(), strings.NewReader("get a\nget "+strings.Repeat("x", maxScriptLineBytes)))
	if err == nil || !strings.Contains(err.Error(), "read line 2") {
		t.Errorf("error %v", err)
	}
}

func TestHistoryIsKeptForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	terminal, err := OpenTerminal(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	terminal.state.AppendHistory("get a")
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("history %v, %v", info, err)
	}
	if terminal, err = OpenTerminal(path, nil); err != nil {
		t.Fatal(err)
	}
	terminal.state.AppendHistory("get b")
	if got := terminal.History(); !slices.Equal(got, []string{"get a", "get b"}) {
		t.Errorf("history %q", got)
	}
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "get a\nget b\n" {
		t.Errorf("history %q, %v", got, err)
	}
	if _, err := OpenTerminal(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "--no-history") {
		t.Errorf("a directory as history: %v", err)
	}
}
