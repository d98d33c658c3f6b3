package scenario

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/sim/network"
	"github.com/plinthdb/plinth/internal/sim/report"
)

// echoProcess is a process of the echo service on a machine of its own.
type echoProcess struct {
	run  *echoRun
	name string
	rng  *rand.Rand
	// program runs in an incarnation until ctx ends, and returns when all of
	// its goroutines have ended.
	program func(ctx context.Context, node *network.Node, boot uint64)
}

func (r *echoRun) newProcess(name string, program func(context.Context, *network.Node, uint64)) *echoProcess {
	// A machine is known to the network, and so to its faults, from the start.
	r.network.Link(name, name)
	return &echoProcess{run: r, name: name, rng: r.world.Rand("echo/process/" + name), program: program}
}

// live boots the process again and again until ctx ends. The remains of dead
// incarnations end while the next one lives.
func (p *echoProcess) live(ctx context.Context) {
	var remains sync.WaitGroup
	defer remains.Wait()
	for boot := uint64(1); ctx.Err() == nil; boot++ {
		node := p.run.network.NewNode(p.name)
		p.run.world.Count(func(c *report.Report) { c.Boots++ })
		p.run.world.Trace("process %s up %d", p.name, boot)
		life, end := context.WithCancel(ctx)
		remains.Go(func() { p.program(life, node, boot) })
		p.await(ctx)
		if ctx.Err() == nil {
			p.die(node)
		}
		end()
		_ = sleep(ctx, time.Duration(p.rng.Float64()*float64(p.run.swarm.Downtime)))
	}
}

// await returns when the process is to die: never once the faults have ended.
func (p *echoProcess) await(ctx context.Context) {
	mean := p.run.swarm.Life
	if mean == 0 || sleep(p.run.healthy, time.Duration(p.rng.ExpFloat64()*float64(mean))) != nil {
		<-ctx.Done()
	}
}

func (p *echoProcess) die(node *network.Node) {
	if p.rng.Float64() < p.run.swarm.PowerProbability {
		p.run.network.PowerLoss(p.name)
		p.run.world.Count(func(c *report.Report) { c.PowerLosses++ })
		return
	}
	node.Kill()
	p.run.world.Count(func(c *report.Report) { c.Kills++ })
}
