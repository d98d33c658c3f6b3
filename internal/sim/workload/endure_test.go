package workload

import (
	"context"
	"fmt"
	"testing"
)

// endure runs a workload with some clients through many kills of the process,
// until it has so many commits after each of them.
func (s *stage) endure(t *testing.T, load Workload, env *Env, kills int, commits uint64) {
	t.Helper()
	if err := load.Setup(s.ctx, env); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- load.Run(ctx, env) }()
	for life := range kills + 1 {
		awaitCommits(t, s.ctx, env, commits*uint64(life+1))
		if life == kills {
			break
		}
		s.process.Kill()
		if err := s.process.Boot(); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := load.Check(s.ctx, env); err != nil {
		t.Fatal(err)
	}
}

func TestWorkloadsOfVersionsAndWatchesEndureKills(t *testing.T) {
	for _, c := range []struct {
		name    string
		clients int
		commits uint64
	}{
		{"ConflictRange", 1, 100}, {"ConflictRange", 5, 100}, {"LongTransactions", 8, 40}, {"Sideband", 1, 100}, {"Sideband", 5, 100},
		{"VersionStamp", 5, 100}, {"Watches", 1, 100}, {"Watches", 5, 100},
	} {
		t.Run(fmt.Sprint(c.name, c.clients), func(t *testing.T) {
			s := newStage(t)
			load, err := New(c.name, s.world.Rand(c.name))
			if err != nil {
				t.Fatal(err)
			}
			s.endure(t, load, s.env(c.name, c.clients), 3, c.commits)
		})
	}
}
