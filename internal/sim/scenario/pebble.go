package scenario

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
)

// PebbleName is the scenario that runs Pebble alone on the simulated disk: it
// tests the simulation, not Plinth. Several writers set keys of their own to
// rising numbers with synchronous commits, through crashes.
//
//	P1  After a crash each key holds the last number that was acknowledged, or
//	    one that was written later.
const PebbleName = "Pebble"

const (
	pebbleCrashes = 5
	pebbleWriters = 8
	pebbleKeys    = 50 // of each writer
	pebblePause   = 5 * time.Millisecond
)

// RunPebble runs the scenario.
func RunPebble(ctx context.Context, w *world.World, swarm Swarm) error {
	d := NewDisk(w, swarm)
	s := &pebbleRun{world: w, disk: d}
	for crash := range pebbleCrashes {
		if err := s.life(ctx, crash); err != nil {
			return err
		}
		d.PowerLoss()
	}
	err := s.check()
	Count(w, d)
	return err
}

type pebbleRun struct {
	world *world.World
	disk  *disk.Disk

	mu struct {
		sync.Mutex
		// acknowledged and written are by writer and key.
		acknowledged, written [pebbleWriters][pebbleKeys]uint64
	}
}

func (s *pebbleRun) openDB() (*pebble.DB, error) {
	db, err := pebble.Open("/db", &pebble.Options{
		FS:           s.disk.Mount(),
		MemTableSize: 64 << 10,
		Logger:       quietLogger{},
	})
	if err != nil {
		return nil, fmt.Errorf("opening Pebble: %w", err)
	}
	return db, nil
}

// life opens the store, checks it, and writes until the power goes.
func (s *pebbleRun) life(ctx context.Context, number int) error {
	if err := s.check(); err != nil {
		return err
	}
	db, err := s.openDB()
	if err != nil {
		return err
	}
	rng := s.world.Rand(fmt.Sprint("life", number))
	ctx, cancel := context.WithTimeout(ctx, time.Duration(200+rng.IntN(1000))*time.Millisecond)
	defer cancel()
	for writer := range pebbleWriters {
		rng := rand.New(rand.NewPCG(rng.Uint64(), 0))
		go s.write(ctx, db, writer, rng)
	}
	<-ctx.Done()
	return nil // the caller cuts the power, and the writers die of it
}

func (s *pebbleRun) write(ctx context.Context, db *pebble.DB, writer int, rng *rand.Rand) {
	for ctx.Err() == nil {
		key := rng.IntN(pebbleKeys)
		s.mu.Lock()
		s.mu.written[writer][key]++
		number := s.mu.written[writer][key]
		s.mu.Unlock()
		err := db.Set(pebbleKey(writer, key), binary.BigEndian.AppendUint64(nil, number), pebble.Sync)
		if err != nil || ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		s.mu.acknowledged[writer][key] = number
		s.mu.Unlock()
		s.world.Trace("pebble w%d k%d %d", writer, key, number)
		s.world.Count(func(r *report.Report) { r.Commits++ })
		time.Sleep(time.Duration(rng.ExpFloat64() * float64(pebblePause)))
	}
}

func pebbleKey(writer, key int) []byte { return fmt.Appendf(nil, "w%02d/k%04d", writer, key) }

// check opens the store, reads every key (P1), and closes it.
func (s *pebbleRun) check() error {
	db, err := s.openDB()
	if err != nil {
		return err
	}
	for writer := range pebbleWriters {
		for key := range pebbleKeys {
			number, err := readNumber(db, pebbleKey(writer, key))
			if err != nil {
				return err
			}
			if err := s.checkNumber(writer, key, number); err != nil {
				return err
			}
		}
	}
	return db.Close()
}

// checkNumber checks what a key holds (P1). It is durable from then on.
func (s *pebbleRun) checkNumber(writer, key int, number uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	low, high := s.mu.acknowledged[writer][key], s.mu.written[writer][key]
	if number < low || number > high {
		return s.world.Violated("Pebble", "P1", "writer %d, key %d holds %d; %d was acknowledged, %d written", writer, key, number, low, high)
	}
	s.mu.acknowledged[writer][key] = number
	return nil
}

func readNumber(db *pebble.DB, key []byte) (uint64, error) {
	value, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	number := binary.BigEndian.Uint64(slices.Clone(value))
	return number, closer.Close()
}

// quietLogger stops the goroutine that reports a fatal error for ever: the
// power is gone, and the end of the process is the end of the run.
type quietLogger struct{}

// Infof implements pebble.Logger.
func (quietLogger) Infof(string, ...any) {}

// Errorf implements pebble.Logger.
func (quietLogger) Errorf(string, ...any) {}

// Fatalf implements pebble.Logger. It does not return.
func (quietLogger) Fatalf(string, ...any) { select {} }
