package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/internal/bench"
	plinthdriver "github.com/plinthdb/plinth/internal/bench/plinth"
)

const (
	// benchTellEvery is how often a workload that takes long says how it goes.
	benchTellEvery = 10 * time.Second
	// benchMaxSeconds bounds --seconds and --warmup: a day.
	benchMaxSeconds = 24 * 60 * 60
	// benchMaxClients and benchMaxRecords bound the memory of the benchmark
	// itself: about 10 KB and 40 bytes each.
	benchMaxClients = 10_000
	benchMaxRecords = 100_000_000
	// benchMinCacheBytes is the least size of the block cache.
	benchMinCacheBytes = 1 << 20
)

// benchFlags are the flags of the command bench.
type benchFlags struct {
	dir       string
	clients   []int
	workloads []string
	settings  bench.Settings
	asJSON    bool
}

func newBenchCommand(*environment) *cobra.Command { return benchCommand(plinthdriver.Driver()) }

// benchCommand makes the command on the stores of a driver.
func benchCommand(driver bench.Driver) *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the store on this machine",
		Long: `Measure transactions on a store of its own: how many a second, how long they
take, how often they start over because of conflicts, and the memory used. For
each number of clients a fresh store is loaded, goes through the workloads, and
is removed.

Appending 4 KiB to a file and its fsync is timed on the same disk, and what
writes is shown as a multiple of that ("fsyncs"). With one client a durable
write is about one fsync, a little less where the disk likes the log's
preallocated files; a greater multiple says that the processor is slow or busy,
a slow fsync that the disk is. With many clients one fsync serves many
transactions, but each may have to wait for the one before it too.

Workloads, each repeated by all clients:
` + describeWorkloads() + `
hot1 also checks at its end that the key's value equals the commits; otherwise
the exit status is 1. A workload longer than ten seconds says every ten seconds
how it goes, and what memory it uses. Ctrl-C ends the run in order, with what
was measured so far; a second one ends it at once.`,
		Example: `  plinth bench
  plinth bench --dir /var/lib/plinth --clients 1 --workloads write1
  plinth bench --clients 64 --workloads write10,hot1 --seconds 10 --json
  plinth bench --clients 64 --workloads write10 --seconds 180`,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return f.validate() },
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd, driver) },
	}
	flags := cmd.Flags()
	addDirectory(cmd, &f.dir, "dir", "d", "", "`directory` on the disk to measure; the store is made below it and removed (default: the system's for temporary files)")
	flags.IntSliceVar(&f.clients, "clients", []int{1, 64}, "`numbers` of clients at a time")
	flags.StringSliceVar(&f.workloads, "workloads", bench.WorkloadNames(), "`names` of the workloads, in the order to run")
	flags.Float64Var(&f.settings.Seconds, "seconds", 3, "`seconds` that each workload is measured for")
	flags.Float64Var(&f.settings.WarmUpSeconds, "warmup", 1, "`seconds` before each measurement")
	flags.IntVar(&f.settings.Records, "records", 200_000, "`number` of records in the store")
	flags.Int64Var(&f.settings.CacheBytes, "cache", 64<<20, "`bytes` of block cache")
	flags.BoolVar(&f.asJSON, "json", false, "print the report as JSON")
	return cmd
}

func describeWorkloads() (text string) {
	for _, w := range bench.Workloads() {
		text += fmt.Sprintf("  %-8s %s\n", w.Name, w.About)
	}
	return text
}

// validate refuses flags that make no sense, before anything is done.
func (f *benchFlags) validate() error {
	for _, name := range f.workloads {
		if _, err := bench.WorkloadNamed(name); err != nil {
			return fmt.Errorf("--workloads: %w", err)
		}
	}
	if slices.ContainsFunc(f.clients, func(n int) bool { return n < 1 || n > benchMaxClients }) {
		return fmt.Errorf("--clients %v: each must be between 1 and %d", f.clients, benchMaxClients)
	}
	s := &f.settings
	switch {
	case len(f.workloads) == 0 || len(f.clients) == 0:
		return errors.New("--workloads and --clients must not be empty")
	case !(s.Seconds > 0 && s.Seconds <= benchMaxSeconds):
		return fmt.Errorf("--seconds %v is not above 0 and at most %d", s.Seconds, benchMaxSeconds)
	case !(s.WarmUpSeconds >= 0 && s.WarmUpSeconds <= benchMaxSeconds):
		return fmt.Errorf("--warmup %v is not between 0 and %d", s.WarmUpSeconds, benchMaxSeconds)
	case s.Records < bench.MinRecords || s.Records > benchMaxRecords:
		return fmt.Errorf("--records %d is not between %d and %d", s.Records, bench.MinRecords, benchMaxRecords)
	case s.CacheBytes < benchMinCacheBytes:
		return fmt.Errorf("--cache %d is less than %d bytes", s.CacheBytes, benchMinCacheBytes)
	}
	return nil
}

// run measures, and prints what was measured also if it did not come to its
// end.
func (f *benchFlags) run(cmd *cobra.Command, driver bench.Driver) (err error) {
	scratch, err := os.MkdirTemp(f.dir, "plinth-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	b := &benchmark{benchFlags: f, driver: driver, scratch: scratch, progress: cmd.ErrOrStderr(), report: newBenchReport(f.settings)}
	err = b.run(cmd.Context())
	b.report.Interrupted = cmd.Context().Err() != nil
	if len(b.report.Results) == 0 {
		return err
	}
	if err != nil {
		fmt.Fprintln(b.progress, "The run did not come to its end. This is what was measured:")
	}
	return errors.Join(err, b.report.show(cmd.OutOrStdout(), f.asJSON))
}

// benchmark is one call of the command.
type benchmark struct {
	*benchFlags
	driver   bench.Driver
	scratch  string
	progress io.Writer
	report   *benchReport
}

// run goes through all numbers of clients.
func (b *benchmark) run(ctx context.Context) error {
	for _, clients := range b.clients {
		// What the store before has left must not count as memory of the next.
		debug.FreeOSMemory()
		if err := b.store(ctx, clients); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// store makes a store, runs all workloads on it and removes it.
func (b *benchmark) store(ctx context.Context, clients int) (err error) {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := b.report.measureFsync(b.scratch); err != nil {
		return fmt.Errorf("measure fsync: %w", err)
	}
	dir := filepath.Join(b.scratch, "store")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	settings := b.settings
	settings.Clients = clients
	session, err := bench.Open(b.driver, dir, settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()

	loaded, err := session.Load(ctx)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", bench.LoadName, err)
	}
	b.note(clients, bench.Workload{Name: bench.LoadName}, loaded)
	for _, name := range b.workloads {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := b.workload(ctx, session, clients, name); err != nil {
			return err
		}
	}
	return nil
}

// workload runs one workload. The end of the context stops it in order: the
// transactions under way come to their end, and its check is made.
func (b *benchmark) workload(ctx context.Context, session *bench.Session, clients int, name string) error {
	w, err := bench.WorkloadNamed(name)
	if err != nil {
		return err
	}
	r, err := session.Run(context.WithoutCancel(ctx), w, bench.RunOptions{
		Stop:      ctx.Done(),
		TellEvery: benchTellEvery,
		Tell: func(p bench.Progress) {
			fmt.Fprintf(b.progress, "%-8s with %s, after %s: %.0f tx/s, %s of memory, %s of heap\n", name, quantity(int64(clients), "client"),
				p.Elapsed.Round(time.Second), p.PerSecond, formatBytes(int64(p.RSSBytes)), formatBytes(int64(p.HeapBytes)))
		},
	})
	if r.Seconds > 0 {
		b.note(clients, w, r)
	}
	if err != nil {
		return fmt.Errorf("with %s: %w", quantity(int64(clients), "client"), err)
	}
	return nil
}

// note takes a result and says it.
func (b *benchmark) note(clients int, w bench.Workload, r bench.Result) {
	b.report.add(clients, w, r)
	fmt.Fprintf(b.progress, "%-8s with %s: %.0f tx/s\n", w.Name, quantity(int64(clients), "client"), r.PerSecond)
}
