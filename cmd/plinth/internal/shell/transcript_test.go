package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
//	other K V     somebody else sets a key
//	fail CALL N   the next call of that kind fails with the error of number N
//
// Lines on standard error begin with "! ".
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newTranscript(t)
		datadriven.RunTest(t, path, s.directive)
	})
}

// transcript is a session on a fake store, its output and the fault to come.
type transcript struct {
	store   *fakestore.Store
	session *Session
	out     bytes.Buffer
	fails   fakestore.Call
	failure error
}

func newTranscript(t *testing.T) *transcript {
	s := &transcript{store: fakestore.New()}
	s.store.Fault = s.fault
	db := kv.NewDatabase(s.store)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s.session = NewSession(Config{Database: db, Out: &s.out, ErrOut: &prefixed{&s.out}})
	return s
}

// prefixed marks the lines of standard error.
type prefixed struct{ out *bytes.Buffer }

func (p *prefixed) Write(b []byte) (int, error) {
	fmt.Fprintf(p.out, "! %s", b)
	return len(b), nil
}

func (s *transcript) fault(call fakestore.Call, _ wire.Version) error {
	if call != s.fails {
		return nil
	}
	s.fails = ""
	return s.failure
}

func (s *transcript) directive(t *testing.T, d *datadriven.TestData) string {
	s.out.Reset()
	switch d.Cmd {
	case "run":
		for line := range strings.SplitSeq(d.Input, "\n") {
			if err := s.session.Run(t.Context(), line); errors.Is(err, ErrExit) {
				s.out.WriteString("(exit)\n")
			}
		}
	case "script":
		err := s.session.RunScript(t.Context(), strings.NewReader(d.Input))
		fmt.Fprintf(&s.out, "error: %v\n", err)
	case "other":
		s.store.Put(d.CmdArgs[0].Key, d.CmdArgs[1].Key)
	case "fail":
		s.fails = fakestore.Call(d.CmdArgs[0].Key)
		code, err := strconv.Atoi(d.CmdArgs[1].Key)
		if err != nil {
			t.Fatal(err)
		}
		s.failure = errorOf(code)
	default:
		t.Fatalf("unknown directive %s", d.Cmd)
	}
	return s.out.String()
}

// errorOf returns the store's error of a number.
func errorOf(code int) error {
	for _, e := range []*wire.Error{wire.ErrTransactionTooOld, wire.ErrCommitUnknownResult, wire.ErrNotCommitted, wire.ErrDiskFull} {
		if e.Code == code {
			return e
		}
	}
	return context.DeadlineExceeded
}
