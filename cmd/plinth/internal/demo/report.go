package demo

import (
	"fmt"
	"slices"
	"time"
)

// Report says what the demo did, how fast, and which checks held.
type Report struct {
	// OK says that the demo came to its end and every check held, Ended only the
	// former.
	OK     bool   `json:"ok"`
	Ended  bool   `json:"ended"`
	Dir    string `json:"dir"`
	Source string `json:"source"`

	Import Imported `json:"import"`
	// Queries is the time of all queries, IndexCheck and ContentCheck that of
	// comparing all index rows and all content.
	Queries      time.Duration `json:"queries_nanos"`
	IndexCheck   time.Duration `json:"index_check_nanos"`
	ContentCheck time.Duration `json:"content_check_nanos"`

	BeforeKill Transferred `json:"before_kill"`
	// Reopen is how long opening took after the kill, LogBytes the size of the
	// log that it read, Unknown the transfers that were committed and not
	// acknowledged.
	Reopen    time.Duration `json:"reopen_nanos"`
	LogBytes  int64         `json:"log_bytes"`
	Unknown   int           `json:"unknown"`
	AfterKill Transferred   `json:"after_kill"`

	Checks []Check       `json:"checks"`
	Took   time.Duration `json:"took_nanos"`
}

// Transferred says what a workload did.
type Transferred struct {
	Transfers int           `json:"transfers"`
	Audits    int           `json:"audits"`
	Took      time.Duration `json:"took_nanos"`
}

// checksHold reports whether there were checks and all of them held.
func (r *Report) checksHold() bool {
	return len(r.Checks) > 0 && !slices.ContainsFunc(r.Checks, func(c Check) bool { return !c.OK })
}

// Failed returns how many checks did not hold.
func (r *Report) Failed() (n int) {
	for _, c := range r.Checks {
		if !c.OK {
			n++
		}
	}
	return n
}

// Row is a line of the table at the end.
type Row struct{ What, Amount, Took, Rate string }

// Table returns what was done and how fast.
func (r *Report) Table() []Row {
	i, mb := r.Import, float64(r.Import.Bytes)/1e6
	table := []Row{
		{"import, with indexes", i.describe(), Took(i.Took), fmt.Sprintf("%.1f MB/s, %.0f files/s", mb/max(i.Took.Seconds(), 1e-9), perSecond(int64(i.Files), i.Took))},
		{"index check", fmt.Sprintf("%s files", Count(int64(i.Files))), Took(r.IndexCheck), ""},
		r.BeforeKill.row("transfers before the kill"),
		{"open after the kill", fmt.Sprintf("log of %s", Bytes(r.LogBytes)), Took(r.Reopen), ""},
		{"content check", Bytes(i.Bytes), Took(r.ContentCheck), fmt.Sprintf("%.1f MB/s", mb/max(r.ContentCheck.Seconds(), 1e-9))},
		r.AfterKill.row("transfers after it"),
		{"all", fmt.Sprintf("%d checks, %d failed", len(r.Checks), r.Failed()), Took(r.Took), ""},
	}
	return table
}

func (t Transferred) row(what string) Row {
	return Row{
		what, fmt.Sprintf("%s, and %s audits", Count(int64(t.Transfers)), Count(int64(t.Audits))), Took(t.Took),
		fmt.Sprintf("%s transactions/s", Count(int64(perSecond(int64(t.Transfers+t.Audits), t.Took)))),
	}
}

// describe says what was imported, and of how much.
func (i Imported) describe() string {
	size := Bytes(i.Bytes)
	if i.Files < i.FoundFiles {
		size += " of " + Bytes(i.FoundBytes)
	}
	return fmt.Sprintf("%s files, %s, %s rows, %s transactions", Count(int64(i.Files)), size, Count(i.Rows), Count(int64(i.Transactions)))
}

// checkPackage compares the two answers about a package with what was
// imported.
func checkPackage(dir string, listed, counted Tally, manifest Manifest) Check {
	var want Tally
	for path, record := range manifest {
		if d, _ := packageOf(path); d == dir {
			want.add(record.Bytes)
		}
	}
	var f findings
	if listed != want {
		f.addf("the index of package %s holds %+v, imported were %+v", dir, listed, want)
	}
	if counted != want {
		f.addf("the totals of package %s are %+v, imported were %+v", dir, counted, want)
	}
	return f.check("index and totals of the package agree with the import", "%s: %s files, %s bytes", dir, Count(want.Files), Count(want.Bytes))
}
