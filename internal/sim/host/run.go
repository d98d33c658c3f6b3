package host

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/sys"

	"github.com/plinthdb/plinth/internal/sim/hostcall"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/trace"
)

// RunConfig describes one run.
type RunConfig struct {
	// Seed decides everything that is left to chance.
	Seed uint64
	// Args are the program's arguments, next to its seed.
	Args []string
	// Test says that the program is a test binary (see BuildTests), and which of
	// its tests to run, as in go test -run.
	Test string
	// Command is how the user calls plinth sim; empty is from the source tree.
	Command string
	// Env are names and values of environment variables, in turn.
	Env []string
	// Flags are what plinth sim needs to run the same program again, next to
	// the seed and Args: a planted bug, for one.
	Flags []string
	// Trace gets every line of the trace; nil is nobody (H1).
	Trace io.Writer
	// TailLines is how many of the last lines the result holds.
	TailLines int
	// WallLimit and VirtualLimit stop a run that does not end (H2). The
	// program has a virtual limit of its own, at which it says what hangs; the
	// host's is for a program that cannot. 0 is ten minutes and one hour.
	WallLimit, VirtualLimit time.Duration
}

// Outcome is how a run ended.
type Outcome int

// The outcomes.
const (
	Passed   Outcome = iota // every invariant held
	Violated                // the report names the invariant that did not hold
	Crashed                 // the program panicked, ran out of memory, or ended without a report
	Hung                    // a limit was reached
	Diverged                // two runs of the seed were not the same
	Stopped                 // the caller's context ended
)

// String names the outcome.
func (o Outcome) String() string {
	switch o {
	case Passed:
		return "passed"
	case Violated:
		return "violated"
	case Crashed:
		return "crashed"
	case Hung:
		return "hung"
	case Diverged:
		return "diverged"
	case Stopped:
		return "stopped"
	}
	return "outcome " + strconv.Itoa(int(o))
}

// Exit statuses of the simulated program, besides those of the Go runtime.
const (
	statusViolated = 1
	statusHung     = 3
)

// Result is what became of one run.
type Result struct {
	Seed uint64
	// Args, Flags, Test and Command are those of RunConfig.
	Args, Flags   []string
	Test, Command string
	Outcome       Outcome
	// Err says what went wrong; nil only if Passed.
	Err error
	// Again says how a second run of a seed that failed compares with this one,
	// empty if there was none.
	Again string
	// Hash is the hash of the whole trace, Lines its length, Tail its end.
	Hash  string
	Lines uint64
	Tail  []string
	// Virtual is the simulated time, Wall the time that it took, Start the
	// part of it before the program's first line of trace.
	Virtual, Wall, Start time.Duration
	// Stderr is the beginning of what the program wrote to standard error:
	// panics and goroutine dumps.
	Stderr string
	// Report is nil unless the program got to its end.
	Report *report.Report
}

type runKey struct{}

// run is the host's side of one run. All calls come from the one thread that
// the program runs in.
type run struct {
	clock  clock
	began  time.Time
	start  time.Duration
	trace  *trace.Log
	report *report.Report
	err    error // of decoding the report
}

func (r *run) addTrace(line []byte) {
	if r.trace.Lines() == 0 {
		r.start = time.Since(r.began)
	}
	r.trace.Add(r.clock.now, line)
}

// setReport takes the program's report. A test binary sends one for each time
// that it calls simtest.Run.
func (r *run) setReport(data []byte) {
	next, err := report.Decode(data)
	if err != nil || r.report == nil {
		r.report, r.err = next, err
		return
	}
	r.report.Add(next)
	if r.report.Violation == nil {
		r.report.Violation = next.Violation
	}
}

var (
	errVirtualLimit = errors.New("the virtual time limit of the host was reached")
	errWallLimit    = errors.New("the wall-clock time limit was reached")
	errStuck        = errors.New("the program computes and neither waits nor looks at the clock; run it with --interruptible to see where")
)

// interruptGrace is how long after its limit a run may take to stop.
const interruptGrace = time.Minute

// Run runs the program to its end. It may be called from many goroutines.
func (p *Program) Run(ctx context.Context, config RunConfig) *Result {
	if config.WallLimit == 0 {
		config.WallLimit = 10 * time.Minute
	}
	if config.VirtualLimit == 0 {
		config.VirtualLimit = time.Hour
	}
	ended := make(chan *Result, 1)
	go func() { ended <- p.run(ctx, config) }()
	// A program that neither waits nor looks at the clock cannot be stopped,
	// unless it was loaded to be interruptible. It goes on and is left alone.
	timer := time.NewTimer(config.WallLimit + interruptGrace)
	defer timer.Stop()
	select {
	case result := <-ended:
		return result
	case <-timer.C:
		r := config.newResult()
		r.Outcome, r.Err = Hung, errStuck
		return r
	}
}

// newResult returns a result that says what was run.
func (c *RunConfig) newResult() *Result {
	return &Result{Seed: c.Seed, Args: c.Args, Flags: c.Flags, Test: c.Test, Command: c.Command}
}

func (p *Program) run(ctx context.Context, config RunConfig) *Result {
	tail := config.TailLines
	if config.Test != "" {
		tail *= testTailFactor
	}
	r := &run{began: time.Now(), trace: trace.New(tail, config.Trace)}
	r.clock.restedWall = r.began
	r.clock.check = r.checker(ctx, config)
	stderr := &head{limit: 256 << 10}
	err := p.instantiate(context.WithValue(ctx, runKey{}, r), config, r.moduleConfig(config, p.memory, stderr))
	r.trace.Add(r.clock.now, fmt.Appendf(nil, "end looks=%d", r.clock.looks))
	result := config.newResult()
	result.Hash, result.Lines, result.Tail = r.trace.Sum(), r.trace.Lines(), r.trace.Tail()
	result.Virtual, result.Wall, result.Start = r.clock.now, time.Since(r.began), r.start
	result.Stderr, result.Report = stderr.String(), r.report
	result.Outcome, result.Err = r.judge(ctx, err)
	if config.Test != "" {
		result.Tail = withoutDisk(result.Tail, config.TailLines)
		result.judgeTest(err)
	}
	if err := r.trace.Flush(); err != nil && result.Err == nil {
		result.Outcome, result.Err = Stopped, fmt.Errorf("writing the trace: %w", err)
	}
	return result
}

// instantiate runs the program, whose work is all in its start function.
func (p *Program) instantiate(ctx context.Context, config RunConfig, module wazero.ModuleConfig) error {
	if p.interruptible {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, config.WallLimit)
		defer cancel()
	}
	instance, err := p.runtime.InstantiateModule(ctx, p.module, module)
	if instance != nil {
		return errors.Join(err, instance.Close(ctx))
	}
	return err
}

// checker returns a function that panics when the run must not go on. It reads
// the real clock at every hundredth call only.
func (r *run) checker(ctx context.Context, config RunConfig) func() {
	calls := 0
	return func() {
		if r.clock.now > config.VirtualLimit {
			panic(errVirtualLimit)
		}
		calls++
		if calls%100 != 0 {
			return
		}
		if err := ctx.Err(); err != nil {
			panic(err)
		}
		now := time.Now()
		if now.Sub(r.began) > config.WallLimit {
			panic(errWallLimit)
		}
		if now.Sub(r.clock.restedWall) > busyWallLimit {
			panic(errBusy)
		}
	}
}

func (r *run) moduleConfig(config RunConfig, memoryBytes int64, stderr io.Writer) wazero.ModuleConfig {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], config.Seed)
	// The collector works harder before the memory runs out.
	softLimit := memoryBytes / 4 * 3
	module := wazero.NewModuleConfig()
	for i := 0; i+1 < len(config.Env); i += 2 {
		module = module.WithEnv(config.Env[i], config.Env[i+1])
	}
	seedText := strconv.FormatUint(config.Seed, 10)
	args := []string{"guest", "--seed", seedText}
	if config.Test != "" {
		args = []string{"test", "-test.run=" + config.Test, "-test.timeout=" + testLimit.String()}
		module = module.WithEnv(hostcall.SeedVariable, seedText)
	}
	return module.
		WithName(""). // any number of instances
		WithArgs(append(args, config.Args...)...).
		WithEnv("GOTRACEBACK", "all").
		WithEnv("GOMEMLIMIT", strconv.FormatInt(softLimit, 10)).
		WithStdout(stderr).WithStderr(stderr).
		WithRandSource(rand.NewChaCha8(seed)).
		WithWalltime(r.clock.walltime, sys.ClockResolution(1)).
		WithNanotime(r.clock.nanotime, sys.ClockResolution(1)).
		WithNanosleep(r.clock.sleep).
		WithOsyield(func() {})
}

// judge says what err, with which the program ended, and its report mean.
func (r *run) judge(ctx context.Context, err error) (Outcome, error) {
	var exit *sys.ExitError
	switch {
	case ctx.Err() != nil:
		return Stopped, ctx.Err()
	case errors.Is(err, errVirtualLimit), errors.Is(err, errWallLimit), errors.Is(err, errBusy):
		return Hung, err
	case errors.As(err, &exit) && exit.ExitCode() == sys.ExitCodeDeadlineExceeded:
		return Hung, fmt.Errorf("%w: %w", errWallLimit, err)
	case errors.As(err, &exit) && exit.ExitCode() == statusHung:
		return Hung, errors.New("the program did not finish in the virtual time it gives itself")
	case r.err != nil:
		return Crashed, r.err
	case r.report != nil && r.report.Violation != nil:
		return Violated, r.report.Violation
	case errors.As(err, &exit) && exit.ExitCode() != 0:
		return Crashed, fmt.Errorf("the program ended with status %d", exit.ExitCode())
	case err != nil && exit == nil:
		return Crashed, err
	case r.report == nil:
		return Crashed, errors.New("the program ended without a report")
	}
	return Passed, nil
}
