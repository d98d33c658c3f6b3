package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/plinthdb/plinth/cmd/plinth/internal/fakestore"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// TestTranscripts runs the files of testdata, each a session of its own on an
// empty store. Directives:
//
//	run           each line of the input is run, as a person would enter it
//	script        the input is run as a script; its error ends the output
//	json          each line is run in a session that prints JSON
//	color         each line is run in a session at a terminal with colours
//	other K V     somebody else sets a key
//	fail CALL N   the next call of that kind fails with the error of number N
//
// Lines on standard error begin with "! ". Prefixes of directories, which are
// drawn at random, are left out.
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newTranscript(t)
		datadriven.RunTest(t, path, s.directive)
	})
}

// transcript is three sessions on a fake store, their output and the fault to
// come.
type transcript struct {
	store   *fakestore.Store
	session *Session
	json    *Session
	color   *Session
	out     bytes.Buffer
	fails   map[fakestore.Call]error
}

func newTranscript(t *testing.T) *transcript {
	s := &transcript{store: fakestore.New(), fails: map[fakestore.Call]error{}}
	s.store.Fault = s.fault
	db := kv.NewDatabase(s.store)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	config := Config{Database: db, Out: &s.out, ErrOut: &prefixed{&s.out}}
	s.session = NewSession(config)
	config.Color = true
	s.color = NewSession(config)
	config.JSON = true
	s.json = NewSession(config)
	return s
}

// prefixed marks the lines of standard error.
type prefixed struct{ out *bytes.Buffer }

func (p *prefixed) Write(b []byte) (int, error) {
	fmt.Fprintf(p.out, "! %s", b)
	return len(b), nil
}

func (s *transcript) fault(call fakestore.Call, _ wire.Version) error {
	err := s.fails[call]
	delete(s.fails, call)
	return err
}

func (s *transcript) directive(t *testing.T, d *datadriven.TestData) string {
	s.out.Reset()
	switch d.Cmd {
	case "run":
		s.run(t, s.session, d.Input)
	case "json":
		s.run(t, s.json, d.Input)
	case "color":
		s.run(t, s.color, d.Input)
		return strings.ReplaceAll(s.out.String(), "\x1b", "ESC")
	case "script":
		err := s.session.RunScript(t.Context(), strings.NewReader(d.Input))
		fmt.Fprintf(&s.out, "error: %v\n", err)
	case "other":
		s.store.Put(d.CmdArgs[0].Key, d.CmdArgs[1].Key)
	case "fail":
		code, err := strconv.Atoi(d.CmdArgs[1].Key)
		if err != nil {
			t.Fatal(err)
		}
		s.fails[fakestore.Call(d.CmdArgs[0].Key)] = errorOf(code)
	default:
		t.Fatalf("unknown directive %s", d.Cmd)
	}
	text := regexp.MustCompile("(?m)(has the prefix `).*?('(?: and the layer .*)?)$").ReplaceAllString(s.out.String(), "$1...$2")
	return regexp.MustCompile(`("prefix_base64":")[^"]*`).ReplaceAllString(text, "$1...")
}

// run runs each line in a session.
func (s *transcript) run(t *testing.T, session *Session, lines string) {
	for line := range strings.SplitSeq(lines, "\n") {
		if err := session.Run(t.Context(), line); errors.Is(err, ErrExit) {
			s.out.WriteString("(exit)\n")
		}
	}
}

// errorOf returns the store's error of a number.
func errorOf(code int) error {
	for _, e := range []*wire.Error{wire.ErrTransactionTooOld, wire.ErrCommitUnknownResult, wire.ErrNotCommitted, wire.ErrDiskFull, wire.ErrDatabaseLocked} {
		if e.Code == code {
			return e
		}
	}
	return context.DeadlineExceeded
}
