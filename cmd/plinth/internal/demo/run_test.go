package demo

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorder is a UI that remembers.
type recorder struct {
	steps  []string
	checks []Check
}

func (r *recorder) Begin(title, _ string)           { r.steps = append(r.steps, title) }
func (r *recorder) Say(string, ...any)              {}
func (r *recorder) Checked(c Check)                 { r.checks = append(r.checks, c) }
func (r *recorder) Progress(string, int64) Progress { return ignored{} }

type ignored struct{}

func (ignored) Add(int64, int64) {}
func (ignored) End()             {}

// child runs this test binary as the child process on the store in dir.
func child(ctx context.Context, dir string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+dir)
	return cmd
}

func TestTheWholeDemoRunsAndEveryCheckHolds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	ui := &recorder{}
	report, err := Run(t.Context(), Config{
		Dir: dir, Source: sampleTree(t), Transfers: time.Second, Accounts: testAccounts, Workers: testWorkers,
		Child: func(ctx context.Context) *exec.Cmd { return child(ctx, dir) },
	}, ui)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Checks {
		expectOK(t, c)
	}
	if !report.OK || len(report.Checks) < 10 || len(ui.checks) != len(report.Checks) || len(ui.steps) != 5 {
		t.Errorf("ok %v with %d checks, %d shown, in %d steps", report.OK, len(report.Checks), len(ui.checks), len(ui.steps))
	}
	if report.BeforeKill.Transfers == 0 || report.AfterKill.Transfers == 0 || report.Import.Files != 7 {
		t.Errorf("report %+v", report)
	}
	for _, row := range report.Table() {
		if row.What == "" || row.Amount == "" || row.Took == "" {
			t.Errorf("the table has a row %+v", row)
		}
	}
}

func TestAChildThatEndsByItselfIsAnErrorThatSaysWhy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no directory"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Crash(t.Context(), child(t.Context(), file), time.Minute, NewLedger())
	if err == nil || !strings.Contains(err.Error(), "ended before it was killed") || !strings.Contains(err.Error(), file) {
		t.Errorf("the child could not open its store, and the error was %v", err)
	}
	_, err = Crash(t.Context(), exec.CommandContext(t.Context(), filepath.Join(t.TempDir(), "nothing")), time.Minute, NewLedger())
	if err == nil || !strings.Contains(err.Error(), "start the child process") {
		t.Errorf("there was no program, and the error was %v", err)
	}
}

func TestTheEndOfTheContextEndsTheChild(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cmd := child(ctx, filepath.Join(t.TempDir(), "data"))
	cancel(reason)
	if _, err := Crash(ctx, cmd, time.Minute, NewLedger()); !errors.Is(err, reason) && !errors.Is(err, context.Canceled) {
		t.Errorf("Crash after the end of its context: %v", err)
	}
}

func TestARunWithAFailedCheckIsNotOK(t *testing.T) {
	r := &Report{}
	if r.checksHold() {
		t.Error("no check at all counts as success")
	}
	r.Checks = []Check{{OK: true}, {OK: false}, {OK: true}}
	if r.checksHold() || r.Failed() != 1 {
		t.Errorf("one failed check: holds %v, failed %d", r.checksHold(), r.Failed())
	}
}

func TestListenTakesWholeLinesOnly(t *testing.T) {
	ledger := NewLedger()
	k := newKiller(nil)
	text := "ready\nack 1 2 3 4 5\naudit 8000\naudit 8000\nack 1 3 3 4 "
	if err := k.listen(strings.NewReader(text), ledger); err != nil {
		t.Fatal(err)
	}
	if len(ledger.Acknowledged) != 1 || ledger.Acknowledged[TransferID{1, 2}] != (Transfer{3, 4, 5}) || ledger.Sums[8000] != 2 {
		t.Errorf("ledger %+v", ledger)
	}
	if err := k.listen(strings.NewReader("nonsense\n"), ledger); err == nil {
		t.Error("a line that is no message was taken")
	}
}

func FuzzParseMessage(f *testing.F) {
	for _, line := range []string{"ready", "ack 1 2 3 4 5", "audit -7", "ack 1 2 3 4", "audit", "ready 1", "", "ack 1 2 3 4 99999999999999999999"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		m, err := ParseMessage(line)
		if err != nil {
			return
		}
		again, err := ParseMessage(strings.TrimSuffix(m.Line(), "\n"))
		if err != nil || again != m {
			t.Errorf("%q is %+v, whose line is %+v (%v)", line, m, again, err)
		}
	})
}

func TestNumbersAreWrittenForPeople(t *testing.T) {
	for got, want := range map[string]string{
		Count(0): "0", Count(999): "999", Count(1000): "1,000", Count(-1234567): "-1,234,567",
		Bytes(999): "999 B", Bytes(1500): "1.5 kB", Bytes(64_000_000): "64.0 MB", Bytes(2_340_000_000): "2.34 GB",
		Took(1234 * time.Millisecond): "1.2 s", Took(76 * time.Millisecond): "76 ms",
	} {
		if got != want {
			t.Errorf("%q should be %q", got, want)
		}
	}
}
