package scenario

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/sim/network"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
)

// EchoName is the scenario that runs clients and servers of an echo service
// over the simulated network: it tests the network, not Plinth. Processes are
// killed and lose power, links are cut and clogged, connections are reset.
//
//	EC1  An answer is the request, byte for byte, and comes from one
//	     incarnation of the server for each connection.
//	EC2  The answers of a connection come in the order of its requests.
//	EC3  Of each connection, one incarnation of a server gets the requests from
//	     the first one on, in order, none twice and without a gap.
//	EC4  When the faults have ended, every client gets an answer again within a
//	     minute.
//	EC5  When all processes have ended, no connection is left.
const EchoName = "Echo"

// EchoTransport is how requests and answers travel over connections.
type EchoTransport interface {
	// Serve answers the requests that come through l, in the background, with
	// what answer returns. stop closes l and returns when everything that Serve
	// began has ended.
	Serve(l net.Listener, answer func(request []byte) []byte) (stop func())
	// Connect connects to address, for the life of ctx at most.
	Connect(ctx context.Context, dial func(ctx context.Context, address string) (net.Conn, error), address string) (EchoConn, error)
}

// EchoConn is a connection to a server. Send and Receive may be called at the
// same time, each by one goroutine.
type EchoConn interface {
	// Send sends a request. It fails when the connection is broken or ended.
	Send(request []byte) error
	// Receive returns the next answer, which the caller may keep. It fails as
	// Send does, or with io.EOF when the server has closed the connection.
	Receive() ([]byte, error)
	// Close returns when everything that belongs to the connection has ended.
	Close()
}

const (
	echoPort = ":80"
	// echoRequestLimitBytes bounds a request, and so a frame.
	echoRequestLimitBytes = 64 << 10
	// faultLimit bounds how long a fault of the network lasts.
	faultLimit = 3 * time.Second
)

// echoSwarm is what one seed's echo service is like.
type echoSwarm struct {
	Network          network.Config
	Servers, Clients int
	// Users is the number of users of each client process.
	Users int
	// Window is how many requests a user sends ahead of the answers at most,
	// Bytes the largest request.
	Window, Bytes int
	// Pause is the average time between two requests of a user.
	Pause time.Duration
	// Life is the average time between two deaths of a process, Downtime the
	// longest time from a death to the next boot; PowerProbability is the
	// chance that a death is a loss of power.
	Life, Downtime   time.Duration
	PowerProbability float64
	// Cuts, Clogs and Resets are the average times between two faults of a
	// kind; 0 is never.
	Cuts, Clogs, Resets time.Duration
}

func drawEcho(rng *rand.Rand) echoSwarm {
	return echoSwarm{
		Network: network.Draw(rng),
		Servers: 1 + rng.IntN(3), Clients: 1 + rng.IntN(3), Users: 1 + rng.IntN(4),
		Window: 1 + rng.IntN(8), Bytes: logarithmic(rng, 1, 16<<10),
		Pause:            logarithmic(rng, 20*time.Millisecond, 300*time.Millisecond),
		Life:             sometimes(rng, time.Second, 20*time.Second),
		Downtime:         logarithmic(rng, time.Millisecond, 3*time.Second),
		PowerProbability: rng.Float64(),
		Cuts:             sometimes(rng, 200*time.Millisecond, 5*time.Second),
		Clogs:            sometimes(rng, 200*time.Millisecond, 5*time.Second),
		Resets:           sometimes(rng, 200*time.Millisecond, 5*time.Second),
	}
}

// echoRun is one run of RunEcho.
type echoRun struct {
	world     *world.World
	swarm     echoSwarm
	network   *network.Network
	transport EchoTransport
	books     echoBooks
	processes []*echoProcess
	before    goroutines

	lives, faults         sync.WaitGroup
	stopLives, stopFaults context.CancelFunc
	// healthy ends when the faults do.
	healthy context.Context
}

// RunEcho runs the scenario over transport, with faults for safety and without
// them for liveness.
func RunEcho(ctx context.Context, w *world.World, transport EchoTransport, safety, liveness time.Duration) error {
	r := &echoRun{world: w, transport: transport, swarm: drawEcho(w.Rand("echo/swarm")), before: listGoroutines()}
	w.Trace("echo %+v", r.swarm)
	w.Count(func(c *report.Report) { c.Workloads = []string{EchoName} })
	r.books.world = w
	r.network = network.New(r.swarm.Network, w.Rand("echo/network"), w.TraceLine)
	defer r.network.Close()
	r.begin(ctx)
	for _, phase := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"safety", func(ctx context.Context) error { return sleep(ctx, safety) }},
		{"liveness", func(ctx context.Context) error { return r.liveness(ctx, liveness) }},
		{"end", r.end},
	} {
		w.Trace("phase %s", phase.name)
		if err := phase.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", phase.name, err)
		}
	}
	return nil
}

// begin starts all processes and all faults.
func (r *echoRun) begin(ctx context.Context) {
	var lives, faults context.Context
	lives, r.stopLives = context.WithCancel(ctx)
	faults, r.stopFaults = context.WithCancel(ctx)
	r.healthy = faults
	var servers []string
	for i := range r.swarm.Servers {
		servers = append(servers, fmt.Sprint("s", i))
		r.processes = append(r.processes, r.newProcess(servers[i], r.serve))
	}
	for i := range r.swarm.Clients {
		r.processes = append(r.processes, r.newProcess(fmt.Sprint("c", i), r.use(servers, i)))
	}
	for _, p := range r.processes {
		r.lives.Go(func() { p.live(lives) })
	}
	r.fault(faults, "cut", r.swarm.Cuts, func(rng *rand.Rand) { r.strike(faults, rng, r.network.Cut) })
	r.fault(faults, "clog", r.swarm.Clogs, func(rng *rand.Rand) { r.strike(faults, rng, r.network.Clog) })
	r.fault(faults, "reset", r.swarm.Resets, func(rng *rand.Rand) {
		r.network.ResetSome([]string{r.anyMachine(rng)}, nil, rng.Float64())
	})
}

// fault strikes at random times, every mean on average, until ctx ends.
func (r *echoRun) fault(ctx context.Context, name string, mean time.Duration, strike func(*rand.Rand)) {
	if mean == 0 {
		return
	}
	rng := r.world.Rand("echo/fault/" + name)
	r.faults.Go(func() {
		for sleep(ctx, time.Duration(rng.ExpFloat64()*float64(mean))) == nil {
			r.world.Count(func(c *report.Report) { c.NetworkFaults++ })
			strike(rng)
		}
	})
}

// strike lets a fault last between some of the machines and all others.
func (r *echoRun) strike(ctx context.Context, rng *rand.Rand, begin func(from, to []string, d network.Direction) *network.Fault) {
	some := []string{r.anyMachine(rng)}
	for rng.IntN(2) == 0 {
		some = append(some, r.anyMachine(rng))
	}
	from, to := some, []string(nil)
	if rng.IntN(2) == 0 {
		from, to = to, from
	}
	fault := begin(from, to, network.Direction(rng.IntN(2)))
	_ = sleep(ctx, logarithmic(rng, 10*time.Millisecond, faultLimit))
	fault.Heal()
}

func (r *echoRun) anyMachine(rng *rand.Rand) string {
	return r.processes[rng.IntN(len(r.processes))].name
}

// liveness ends the faults; every user must get an answer again (EC4).
func (r *echoRun) liveness(ctx context.Context, length time.Duration) error {
	r.stopFaults()
	r.faults.Wait()
	r.network.HealAll()
	before, began := r.books.answers(), time.Now()
	for !r.books.progressed(before, r.swarm.Clients*r.swarm.Users) {
		if time.Since(began) > progressLimit {
			return r.world.Violated(EchoName, "EC4", "not every user got an answer within %v of the end of faults: %v, then %v",
				progressLimit, before, r.books.answers())
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return sleep(ctx, length-time.Since(began))
}

// end ends all processes in an orderly way; nothing may be left (EC5).
func (r *echoRun) end(ctx context.Context) error {
	r.stopLives()
	if err := await(ctx, r.world, EchoName, "the processes", r.lives.Wait); err != nil {
		return err
	}
	began := time.Now()
	for r.network.Stats().Endpoints > 0 {
		if time.Since(began) > stopLimit {
			return r.world.Violated(EchoName, "EC5", "%d ends of connections are left %v after the end", r.network.Stats().Endpoints, stopLimit)
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	r.world.Trace("echo %+v", r.network.Stats())
	if err := r.network.Close(); err != nil {
		return err
	}
	return checkGoroutines(ctx, r.world, r.before)
}
