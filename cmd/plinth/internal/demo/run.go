package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// Config says what the demo works on.
type Config struct {
	// Dir is where the store is made. It must be empty, or not exist.
	Dir string
	// Source is the tree to import, LimitBytes how much of it; 0 is all.
	Source     string
	LimitBytes int64
	// Transfers is how long transfers run, before and after the kill together.
	Transfers time.Duration
	// Accounts and Workers shape the transfers.
	Accounts, Workers int
	// Child returns the command of the process to be killed, which calls the
	// function Child on the store with these accounts and workers.
	Child func(ctx context.Context) *exec.Cmd
}

// UI shows what goes on. Its methods are called by one goroutine.
type UI interface {
	// Begin announces a step and why it is made.
	Begin(title, why string)
	// Say adds a line to the step.
	Say(format string, args ...any)
	// Checked shows the outcome of a check.
	Checked(Check)
	// Progress begins to show how far something has come towards a total of
	// bytes, until its End. The calls of Add may come from several goroutines.
	Progress(verb string, totalBytes int64) Progress
}

// Progress is shown while something takes long.
type Progress interface {
	// Add says that so many rows and bytes more are done.
	Add(rows, bytes int64)
	// End is called once, when all is done or something failed.
	End()
}

const (
	examplePackage = "net/http"
	// largestFiles is how many files the first query asks for, readBackFiles
	// how many are compared with the disk.
	largestFiles  = 3
	readBackFiles = 100
)

// runner is a demo that runs.
type runner struct {
	Config
	ui     UI
	report *Report

	db       *kv.Database
	store    *embedded.Store
	source   Source
	manifest Manifest
	ledger   *Ledger
}

// Run runs the demo. The report is filled as far as it came; it is OK only if
// every check held. The error is what kept the demo from going on.
func Run(ctx context.Context, config Config, ui UI) (_ *Report, err error) {
	began := time.Now()
	r := &runner{Config: config, ui: ui, report: &Report{Dir: config.Dir, Source: config.Source}, ledger: NewLedger()}
	defer func() {
		err = errors.Join(err, r.close())
		r.report.Took = time.Since(began)
		r.report.Ended = err == nil
		r.report.OK = r.report.Ended && r.report.checksHold()
	}()
	for _, step := range []func(context.Context) error{r.importSource, r.query, r.crash, r.recover, r.goOn} {
		if err := step(ctx); err != nil {
			return r.report, err
		}
	}
	return r.report, nil
}

// open opens the store and returns how long that took.
func (r *runner) open() (took time.Duration, err error) {
	began := time.Now()
	r.db, r.store, err = embedded.Open(r.Dir)
	return time.Since(began), err
}

func (r *runner) close() error {
	if r.store == nil {
		return nil
	}
	err := r.store.Close()
	r.store = nil
	return err
}

// check notes a check that was made.
func (r *runner) check(c Check, err error) error {
	if err != nil {
		return err
	}
	r.report.Checks = append(r.report.Checks, c)
	r.ui.Checked(c)
	return nil
}

func (r *runner) importSource(ctx context.Context) error {
	r.ui.Begin("Import a source tree", "Each transaction writes whole files together with their index rows and totals: no reader\never sees one without the other. Several transactions are under way at once.")
	var err error
	if r.source, err = ListSource(ctx, r.Source, r.LimitBytes); err != nil {
		return err
	}
	if len(r.source.Entries) == 0 {
		return fmt.Errorf("source directory %s holds no file that can be imported", r.Source)
	}
	if _, err := r.open(); err != nil {
		return err
	}
	progress := r.ui.Progress("imported", r.source.Bytes)
	r.manifest, r.report.Import, err = NewArchive(r.db).Import(ctx, r.source, progress.Add)
	progress.End()
	if err != nil {
		return err
	}
	r.ui.Say("%s: %s", r.Source, r.report.Import.describe())
	if i := r.report.Import; i.TooLarge > 0 {
		r.ui.Say("%s files are larger than %s, the most that fits into one transaction: left out", Count(int64(i.TooLarge)), Bytes(MaxFileBytes))
	}
	if i := r.report.Import; i.Files+i.TooLarge < i.FoundFiles {
		r.ui.Say("that is the limit of this demo by default; --all imports the other %s files too", Count(int64(i.FoundFiles-i.TooLarge-i.Files)))
	}
	return nil
}

func (r *runner) query(ctx context.Context) error {
	r.ui.Begin("Ask questions", "Each answer is read at one version of the store, from an index or a range of keys.")
	a := NewArchive(r.db)
	began := time.Now()
	largest, err := a.Largest(ctx, largestFiles)
	if err != nil {
		return err
	}
	for _, e := range largest {
		r.ui.Say("large file       %9s  %s", Bytes(e.Bytes), e.Path)
	}
	dir := r.examplePackage()
	listed, counted, err := a.Package(ctx, dir)
	if err != nil {
		return err
	}
	r.ui.Say("package %s holds %s files of %s together, by the index", dir, Count(listed.Files), Bytes(listed.Bytes))
	below, err := a.Below(ctx, dir+"/")
	if err != nil {
		return err
	}
	r.ui.Say("paths that begin with %s/ are %s, of %s together", dir, Count(below.Files), Bytes(below.Bytes))
	r.report.Queries = time.Since(began)
	if err := r.check(checkPackage(dir, listed, counted, r.manifest), nil); err != nil {
		return err
	}
	if err := r.check(a.CheckAgainstDisk(ctx, r.source, r.some(readBackFiles))); err != nil {
		return err
	}
	began = time.Now()
	err = r.check(a.CheckIndexes(ctx))
	r.report.IndexCheck = time.Since(began)
	return err
}

// examplePackage is the package that is asked about: net/http if it was
// imported, else that of some file.
func (r *runner) examplePackage() string {
	best := ""
	for _, e := range r.source.Entries {
		dir, _ := packageOf(e.Path)
		if dir == examplePackage {
			return dir
		}
		best = max(best, dir)
	}
	return best
}

// some draws files of the source.
func (r *runner) some(n int) []Entry {
	var drawn []Entry
	for _, i := range rand.Perm(len(r.source.Entries))[:min(n, len(r.source.Entries))] {
		drawn = append(drawn, r.source.Entries[i])
	}
	return drawn
}

func (r *runner) crash(ctx context.Context) error {
	after := time.Duration((0.4 + 0.2*rand.Float64()) * float64(r.Transfers))
	r.ui.Begin("Kill a process while it moves money", fmt.Sprintf(
		"A child process opens the store; %d workers move money between %d accounts and report each\ncommitted transfer, while audits add up all balances. After %s it gets SIGKILL.", r.Workers, r.Accounts, Took(after)))
	bank := NewBank(r.db, r.Accounts)
	if err := bank.Open(ctx); err != nil {
		return err
	}
	if err := r.close(); err != nil {
		return err
	}
	took, err := Crash(ctx, r.Child(ctx), after, r.ledger)
	if err != nil {
		return err
	}
	r.report.BeforeKill = Transferred{Transfers: len(r.ledger.Acknowledged), Audits: r.ledger.Audits(), Took: took}
	r.ui.Say("killed; it had reported %s transfers and %s audits", Count(int64(len(r.ledger.Acknowledged))), Count(int64(r.ledger.Audits())))
	var f findings
	if len(r.ledger.Acknowledged) == 0 {
		f.addf("no transfer was reported in %s", Took(took))
	}
	if err := r.check(f.check("transfers were under way at the kill", "%s committed in %s", Count(int64(len(r.ledger.Acknowledged))), Took(took)), nil); err != nil {
		return err
	}
	return r.check(bank.CheckAudits(r.ledger), nil)
}

func (r *runner) recover(ctx context.Context) error {
	r.ui.Begin("Open it again and compare", "Opening replays the log. What the child reported must be there; of what it had not reported\nyet, at most the transfer that each worker had in flight. The files must be untouched.")
	took, err := r.open()
	if err != nil {
		return err
	}
	r.report.Reopen = took
	r.report.LogBytes = r.store.Status().WriteAheadLog.LiveBytes
	r.ui.Say("open after %s, with a log of %s", Took(took), Bytes(r.report.LogBytes))
	state, err := r.checkBank(ctx)
	if err != nil {
		return err
	}
	r.report.Unknown = r.ledger.Adopt(state)
	return r.checkArchive(ctx)
}

// checkBank reads all of the bank and runs the checks on it.
func (r *runner) checkBank(ctx context.Context) (BankState, error) {
	bank := NewBank(r.db, r.Accounts)
	state, err := bank.State(ctx)
	if err != nil {
		return state, err
	}
	for _, c := range []Check{r.ledger.CheckAcknowledged(state), r.ledger.CheckUnknown(state), bank.CheckBalances(state)} {
		if err := r.check(c, nil); err != nil {
			return state, err
		}
	}
	return state, nil
}

// checkArchive runs the checks on all files and indexes.
func (r *runner) checkArchive(ctx context.Context) error {
	a := NewArchive(r.db)
	if err := r.check(a.CheckIndexes(ctx)); err != nil {
		return err
	}
	began := time.Now()
	progress := r.ui.Progress("compared", r.report.Import.Bytes)
	c, err := a.CheckContents(ctx, r.manifest, progress.Add)
	progress.End()
	r.report.ContentCheck = time.Since(began)
	return r.check(c, err)
}

func (r *runner) goOn(ctx context.Context) error {
	rest := max(r.Transfers-r.report.BeforeKill.Took, r.Transfers/10)
	r.ui.Begin("Go on", fmt.Sprintf("The store that was opened again takes transfers for another %s, now in this process; then the\naccounts are compared with the records of all transfers, from before and after the kill.", Took(rest)))
	bank := NewBank(r.db, r.Accounts)
	before, audits := len(r.ledger.Acknowledged), r.ledger.Audits()
	first := map[int]int{}
	for worker, number := range r.ledger.newest() {
		first[worker] = number + 1
	}
	stop := make(chan struct{})
	timer := time.AfterFunc(rest, func() { close(stop) })
	defer timer.Stop()
	began := time.Now()
	var mu sync.Mutex
	err := Workload{Bank: bank, Workers: r.Workers, First: first, Report: func(m Message) error {
		mu.Lock()
		defer mu.Unlock()
		r.ledger.Note(m)
		return nil
	}}.Run(ctx, stop)
	if err != nil {
		return err
	}
	r.report.AfterKill = Transferred{Transfers: len(r.ledger.Acknowledged) - before, Audits: r.ledger.Audits() - audits, Took: time.Since(began)}
	if _, err := r.checkBank(ctx); err != nil {
		return err
	}
	if err := r.check(bank.CheckAudits(r.ledger), nil); err != nil {
		return err
	}
	return r.close()
}
