package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
)

// plinthWith runs the binary's command line with an input.
func plinthWith(t *testing.T, input string, args ...string) (status int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(input), &o, &e)
	return status, o.String(), e.String()
}

// mustRun runs a command that must succeed and returns its output.
func mustRun(t *testing.T, input string, args ...string) (out, errOut string) {
	t.Helper()
	status, out, errOut := plinthWith(t, input, args...)
	if status != statusOK {
		t.Fatalf("plinth %v: exit status %d, %q", args, status, errOut)
	}
	return out, errOut
}

// rows are the lines of a small store, in key order.
const rows = "\ta value of the empty key\n\\x00\t\\xff\\\\\nuser/1\tAda\nuser/2\tGrace\n"

func TestExportedRowsImportIntoAnotherStore(t *testing.T) {
	dir := t.TempDir()
	first, second, file := filepath.Join(dir, "first"), filepath.Join(dir, "second"), filepath.Join(dir, "rows.txt")

	out, errOut := mustRun(t, rows, "import", "--dir", first, "-")
	if !strings.HasPrefix(out, "imported 4 rows (") || !strings.Contains(errOut, "made a new store in "+first) {
		t.Errorf("import printed %q and %q", out, errOut)
	}
	out, _ = mustRun(t, "", "export", "--dir", first, "--json", file)
	var report struct {
		dump.ExportReport
		Consistent bool
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Rows != 4 || !report.Consistent {
		t.Errorf("export reported %q, %v", out, err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != rows {
		t.Errorf("exported %q, %v", text, err)
	}
	out, _ = mustRun(t, "", "import", "--dir", second, "--begin", "user/", "--end", `user\x30`, file)
	if !strings.Contains(out, "2 rows outside of the range left out") {
		t.Errorf("import of a range printed %q", out)
	}
	out, errOut = mustRun(t, "", "export", "--dir", second, "-")
	if want := "user/1\tAda\nuser/2\tGrace\n"; out != want || !strings.Contains(errOut, "exported 2 rows") {
		t.Errorf("exported %q with the report %q", out, errOut)
	}
}

func TestExportNeitherLosesNorInventsFiles(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "rows.txt")
	mustRun(t, rows, "import", "--dir", data, "-")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, errOut := plinthWith(t, "", "export", "--dir", data, file)
	if status != statusFailed || !strings.Contains(errOut, "exists already") {
		t.Errorf("export over a file: exit status %d, %q", status, errOut)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file now holds %q, %v", text, err)
	}
	mustRun(t, "", "export", "--dir", data, "--overwrite", file)
	if text, err := os.ReadFile(file); err != nil || string(text) != rows {
		t.Errorf("exported %q, %v", text, err)
	}

	for _, empty := range []string{filepath.Join(dir, "nowhere"), t.TempDir()} {
		status, _, errOut = plinthWith(t, "", "export", "--dir", empty, "-")
		if status != statusFailed || !strings.Contains(errOut, "there is no store in") {
			t.Errorf("export of no store: exit status %d, %q", status, errOut)
		}
		if made, err := filepath.Glob(filepath.Join(empty, "*")); err != nil || len(made) > 0 {
			t.Errorf("export of no store made %v, %v", made, err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	other := filepath.Join(dir, "other.txt")
	if status := run(cancelled, []string{"export", "--dir", data, other}, strings.NewReader(""), &out, &errs); status != statusInterrupted {
		t.Errorf("interrupted export: exit status %d, %q", status, errs.String())
	}
	if left, err := filepath.Glob(other + "*"); err != nil || len(left) > 0 {
		t.Errorf("an interrupted export left %v, %v", left, err)
	}
}

func TestRowsGoThroughJSON(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	mustRun(t, rows, "import", "--dir", first, "-")
	out, _ := mustRun(t, "", "export", "--dir", first, "--format", "json", "-")
	want := `{"key":"","value":"a value of the empty key"}
{"key_base64":"AA==","value_base64":"/1w="}
{"key":"user/1","value":"Ada"}
{"key":"user/2","value":"Grace"}
`
	if out != want {
		t.Errorf("exported %s, want %s", out, want)
	}
	based, _ := mustRun(t, "", "export", "--dir", first, "--format", "json-base64", "--prefix", "user/2", "--one-version", "-")
	if want := `{"key_base64":"dXNlci8y","value_base64":"R3JhY2U="}` + "\n"; based != want {
		t.Errorf("exported %s, want %s", based, want)
	}
	mustRun(t, out, "import", "--dir", second, "--format", "json", "-")
	if back, _ := mustRun(t, "", "export", "--dir", second, "-"); back != rows {
		t.Errorf("through JSON came %q", back)
	}
	out, _ = mustRun(t, rows, "import", "--dir", filepath.Join(dir, "third"), "--prefix", "user/", "-")
	if !strings.HasPrefix(out, "imported 2 rows") {
		t.Errorf("import of a prefix printed %q", out)
	}

	status, _, errOut := plinthWith(t, want+`{"key":"b","value":1}`, "import", "--dir", second, "--format", "json", "-")
	for _, part := range []string{"line 5: column 20: expected a string, value", "imported up to line 4. None behind it is"} {
		if status != statusFailed || !strings.Contains(errOut, part) {
			t.Errorf("exit status %d, no %q in %q", status, part, errOut)
		}
	}
}

func TestImportTellsBadLinesAndFails(t *testing.T) {
	dir := t.TempDir()
	text := "a\t1\nno tab\n\\xffsystem\t2\nb\t3"
	status, out, errOut := plinthWith(t, text, "import", "--dir", dir, "-")
	if status != statusFailed || !strings.Contains(errOut, "line 2: no tab") || !strings.HasPrefix(out, "imported 1 row ") {
		t.Errorf("exit status %d, %q and %q", status, out, errOut)
	}
	status, out, errOut = plinthWith(t, text, "import", "--dir", dir, "--on-error", "continue", "--json", "-")
	var report dump.ImportReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Rows != 2 || report.BadLines != 2 || !report.Unfinished {
		t.Errorf("reported %q, %v", out, err)
	}
	for _, want := range []string{"line 2: no tab", "line 3: key begins with \\xff", "2 bad lines could not", "no line end"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("no %q in %q", want, errOut)
		}
	}
	if status != statusFailed {
		t.Errorf("exit status %d after bad lines", status)
	}
}

func TestBadLinesAreNotPrintedWithoutEnd(t *testing.T) {
	var out bytes.Buffer
	tell := badLinePrinter(&out, "file")
	for i := range 3 * badLinesShown {
		tell(dump.BadLine{Number: int64(i), Reason: context.Canceled})
	}
	if n := strings.Count(out.String(), "\n"); n != badLinesShown+1 {
		t.Errorf("%d lines printed", n)
	}
}

func TestShellRunsScriptsAndKeepsTheirWrites(t *testing.T) {
	dir := t.TempDir()
	out, errOut := mustRun(t, "# a script\nbegin\nset a \"1 \\x00\"\nset b 2\ncommit\n", "shell", "--dir", dir)
	if !strings.HasPrefix(out, "Transaction started\nCommitted (") || strings.Count(errOut, "\n") != 1 {
		t.Errorf("printed %q and %q", out, errOut)
	}
	status, out, errOut := plinthWith(t, "", "shell", "--dir", dir, "--exec", "get a; get; get b")
	if status != statusFailed || !strings.Contains(out, "`a' is `1 \\x00'") || strings.Contains(out, "`b'") {
		t.Errorf("exit status %d, printed %q", status, out)
	}
	if !strings.Contains(errOut, "Usage: get <KEY>") || !strings.Contains(errOut, "plinth: `get'") {
		t.Errorf("errors %q", errOut)
	}
	out, _ = mustRun(t, "", "shell", "--dir", dir, "--exec", "status")
	for _, want := range []string{"The database is available.", "opened  ", "3 times", "recent writes in memory"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in the status\n%s", want, out)
		}
	}
	if out, _ := mustRun(t, "getrange \"\"\n", "shell", "--memory"); out != "\nRange limited to 25 keys\n\n" {
		t.Errorf("a store in memory begins with %q", out)
	}
}

func TestTheShellPrintsJSONForScripts(t *testing.T) {
	dir := t.TempDir()
	status, out, errOut := plinthWith(t, "set a 1\nget a\nstatus plinth\nget\nget a\n", "shell", "--dir", dir, "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != statusFailed || len(lines) != 4 || !strings.Contains(errOut, "plinth: line 4: ") {
		t.Fatalf("exit status %d, printed %q and %q", status, out, errOut)
	}
	if want := `{"command":"get a","ok":true,"result":{"key":"a","found":true,"value":"1"}}`; lines[1] != want {
		t.Errorf("get printed %s, want %s", lines[1], want)
	}
	var answer struct {
		Result struct {
			Store struct{ Dir string }
		}
	}
	if err := json.Unmarshal([]byte(lines[2]), &answer); err != nil || answer.Result.Store.Dir != dir {
		t.Errorf("status plinth printed %s, %v", lines[2], err)
	}
}

// fdbStatus is a part of FoundationDB's schema for its status.
type fdbStatus struct {
	Client struct {
		DatabaseStatus struct{ Available bool } `json:"database_status"`
	}
	Cluster struct {
		ConnectionString string `json:"connection_string"`
	}
}

func TestTheShellPrintsTheStatusInFoundationDBsSchema(t *testing.T) {
	dir := t.TempDir()
	text, _ := mustRun(t, "status json\n", "shell", "--dir", dir)
	line, _ := mustRun(t, "begin\nstatus json\n", "shell", "--dir", dir, "--json")
	var people fdbStatus
	var scripts struct{ Result fdbStatus }
	err := json.Unmarshal([]byte(text), &people)
	if err == nil {
		err = json.Unmarshal([]byte(strings.Split(line, "\n")[1]), &scripts)
	}
	if err != nil || people != scripts.Result || !people.Client.DatabaseStatus.Available || people.Cluster.ConnectionString != "plinth-embedded:"+dir {
		t.Errorf("%v, printed %s and %s", err, text, line)
	}
	if !strings.Contains(text, "\n  \"cluster\": {\n") {
		t.Errorf("not indented: %s", text)
	}
}

// TestTheLogOfATransactionGoesToStandardError turns it on.
func TestTheLogOfATransactionGoesToStandardError(t *testing.T) {
	_, errOut := mustRun(t, "option on debug_transaction_identifier mine\noption on log_transaction\nset a 1\n", "shell", "--memory", "--log-level", "debug")
	if !strings.Contains(errOut, "mine") {
		t.Errorf("logged %q", errOut)
	}
}

func TestTheShellSaysMoreWithStatusDetails(t *testing.T) {
	out, _ := mustRun(t, "set a 1\nstatus details\ngetestimatedrangesize a\n", "shell", "--memory")
	for _, want := range []string{"\nResolver\n", "waiting to be written", "block cache", "\nabout "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestALockKeepsOthersAway(t *testing.T) {
	dir := t.TempDir()
	out, _ := mustRun(t, "", "shell", "--dir", dir, "--json", "--exec", "lock")
	var locked struct {
		Result struct {
			ID string `json:"lock_id"`
		}
	}
	if err := json.Unmarshal([]byte(out), &locked); err != nil || len(locked.Result.ID) != 32 {
		t.Fatalf("lock printed %q, %v", out, err)
	}
	for _, command := range []string{"get a", "set a 1", "lock", "unlock 00000000000000000000000000000000"} {
		status, _, errOut := plinthWith(t, "", "shell", "--dir", dir, "--exec", command)
		if status != statusFailed || !strings.Contains(errOut, "database is locked") {
			t.Errorf("%s: exit status %d, %q", command, status, errOut)
		}
	}
	mustRun(t, "", "shell", "--dir", dir, "--exec", "option on lock_aware; set a 1")
	mustRun(t, "", "shell", "--dir", dir, "--exec", "unlock "+locked.Result.ID)
	if out, _ := mustRun(t, "", "shell", "--dir", dir, "--exec", "get a"); out != "`a' is `1'\n" {
		t.Errorf("after unlock: %q", out)
	}
}

func TestColorsAreForTerminalsThatWantThem(t *testing.T) {
	none := func(string) string { return "" }
	if hasColors(&bytes.Buffer{}, none) {
		t.Error("colours on what is no terminal")
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	if hasColors(file, none) {
		t.Error("colours in a file")
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}

func TestToolsRefuseWrongFlags(t *testing.T) {
	for _, args := range [][]string{
		{"shell"},
		{"shell", "--dir", "x", "--memory"},
		{"shell", "--memory", "superfluous"},
		{"shell", "--memory", "--history", "x", "--no-history"},
		{"import", "file"},
		{"import", "--dir", "x"},
		{"import", "--dir", "x", "--on-error", "maybe", "-"},
		{"import", "--dir", "x", "--begin", `\x0`, "-"},
		{"export", "-"},
		{"export", "--dir", "x", "a", "b"},
		{"export", "--dir", "x", "--end", `\q`, "-"},
		{"export", "--dir", "x", "--prefix", `\q`, "-"},
		{"export", "--dir", "x", "--prefix", "a", "--begin", "b", "-"},
		{"export", "--dir", "x", "--format", "xml", "-"},
		{"import", "--dir", "x", "--prefix", "a", "--end", "b", "-"},
		{"import", "--dir", "x", "--format", "json-base64", "-"},
	} {
		if status, _, errOut := plinthWith(t, "", args...); status != statusUsage || !strings.Contains(errOut, "--help' for usage") {
			t.Errorf("plinth %v: exit status %d, %q", args, status, errOut)
		}
	}
	status, _, errOut := plinthWith(t, "", "export", "--dir", t.TempDir(), "--begin", "b", "--end", "a", "-")
	if status != statusUsage || !strings.Contains(errOut, "--begin sorts after --end") {
		t.Errorf("an inverted range: exit status %d, %q", status, errOut)
	}
}

func TestMeterLinesTellRateAndTimeLeft(t *testing.T) {
	m := &meter{verb: "imported", total: 4_000_000, rows: 12, bytes: 1_000_000}
	if got, want := m.line(2*time.Second), "imported 12 rows, 1.0 MB of 4.0 MB (25%), 500.0 kB/s, about 6s left"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
	m.total = -1
	if got, want := m.line(2*time.Second), "imported 12 rows, 1.0 MB, 500.0 kB/s"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_500_000: "1.5 MB", 1 << 62: "4.6 EB"} {
		if got := formatBytes(n); got != want {
			t.Errorf("formatBytes(%d) = %s, want %s", n, got, want)
		}
	}
}
