package workload

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"sync"

	"github.com/plinthdb/plinth/kv"
)

// conflictRange is FoundationDB's ConflictRange: one transaction reads in all
// ways that there are, another one writes meanwhile, and the first one commits.
// Its commit must conflict if what it has read was written, and only then.
//
// Each client has keys of its own, on which every read and write has exactly
// known places: the keys themselves and the gaps between them (conflictPlaces).
//
//	C1  A commit is refused with not_committed if a transaction that was
//	    committed after its read version wrote into a place that it has read:
//	    what it got and what it was shown to be absent, as far as own writes did
//	    not determine it; the keys that a selector went over; what was added by
//	    hand. A read with a limit, or one that ended early, has read no further
//	    than its last row.
//	C2  Otherwise it is not refused: snapshot reads, own writes and writes up to
//	    the read version do not conflict.
//	C3  Reads find what the client's committed transactions have left there and
//	    the own writes of the transaction.
type conflictRange struct {
	mu struct {
		sync.Mutex
		// places is what each client's keys hold as long as nothing is under way.
		places map[int]conflictState
	}
}

// conflictState is what the keys of one client must hold.
type conflictState struct {
	// space numbers the keys that the client uses: after an unknown outcome it
	// takes others.
	space  int
	ready  bool // the space was set up
	values map[int]uint64
	// changing says that a transaction is under way.
	changing bool
	changes  int
}

func newConflictRange(*rand.Rand) *conflictRange {
	r := &conflictRange{}
	r.mu.places = make(map[int]conflictState)
	return r
}

// Name implements Workload.
func (*conflictRange) Name() string { return "ConflictRange" }

// Setup implements Workload. Clients set up their own keys.
func (*conflictRange) Setup(context.Context, *Env) error { return nil }

// Run implements Workload.
func (r *conflictRange) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		state := r.begin(c)
		outcome, err := c.Try(ctx, func(*kv.Transaction) error {
			if !state.ready {
				return r.furnish(c, &state)
			}
			return r.round(c, &state)
		})
		if outcome == Unknown {
			state.abandon()
		}
		r.end(c, state)
		return err
	})
}

// abandon lets the client go on with other keys.
func (s *conflictState) abandon() { s.space, s.ready = s.space+1, false }

func (r *conflictRange) begin(c *Client) conflictState {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.mu.places[c.ID()]
	s.changing = true
	r.mu.places[c.ID()] = s
	return s
}

func (r *conflictRange) end(c *Client, s conflictState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.changing = false
	s.changes++
	r.mu.places[c.ID()] = s
}

// furnish writes the keys at both ends, which no transaction changes: selectors
// end among them at the latest.
func (r *conflictRange) furnish(c *Client, s *conflictState) error {
	places := conflictPlaces{env: c.env, client: c.ID(), space: s.space}
	values := make(map[int]uint64)
	err := c.beside(func(tx *kv.Transaction) error {
		for i := range conflictKeys {
			if !places.inner(i) {
				values[i] = uint64(i)
				tx.Set(places.key(i), encodeNumber(values[i]))
			}
		}
		_, err := c.commitBeside(tx)
		return err
	})
	switch {
	case err == nil:
		s.ready, s.values = true, values
	case c.unresolved(err):
		s.abandon()
	}
	return r.blind(c, err)
}

// round is one game of reader and writer.
func (r *conflictRange) round(c *Client, s *conflictState) error {
	places := conflictPlaces{env: c.env, client: c.ID(), space: s.space}
	return c.beside(func(tx *kv.Transaction) error {
		reader := newConflictReader(c, places, tx)
		if err := reader.open(s.values); err != nil {
			return err
		}
		var written []conflictWriter
		write := func() error {
			w, err := r.write(c, s, places)
			if err == nil {
				written = append(written, w)
			}
			return err
		}
		for range 1 + c.Rand().IntN(4) {
			if err := reader.act(); err != nil {
				return err
			}
			if c.Rand().IntN(4) == 0 {
				if err := write(); err != nil {
					return err
				}
			}
		}
		if len(written) == 0 && c.Rand().IntN(8) > 0 {
			if err := write(); err != nil {
				return err
			}
		}
		if err := r.distract(c); err != nil {
			return err
		}
		return r.commit(c, s, reader, written)
	})
}

// distract sometimes commits a few range clears that nobody reads, before and
// behind all keys, so that a resolver that puts old and new writes together has
// something to put the writer's together with.
func (r *conflictRange) distract(c *Client) error {
	if c.Rand().IntN(3) > 0 {
		return nil
	}
	for range 1 + c.Rand().IntN(5) {
		err := c.beside(func(tx *kv.Transaction) error {
			prefix := c.env.Key([...]string{"/before/%02d", "behind/%02d"}[c.Rand().IntN(2)], c.ID())
			tx.ClearRange(kv.PrefixRange(prefix))
			_, err := c.commitBeside(tx)
			return r.blind(c, err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// write commits a blind transaction of the writer.
func (r *conflictRange) write(c *Client, s *conflictState, places conflictPlaces) (conflictWriter, error) {
	w := conflictWriter{places: places, values: maps.Clone(s.values)}
	err := c.beside(func(tx *kv.Transaction) (err error) {
		for range 1 + c.Rand().IntN(2) {
			w.act(c.Rand(), tx)
		}
		w.version, err = c.commitBeside(tx)
		return err
	})
	switch {
	case err == nil:
		s.values = w.values
	case c.unresolved(err):
		s.abandon()
	}
	return w, r.blind(c, err)
}

// blind checks that a blind write was not refused for a conflict (C2).
func (*conflictRange) blind(c *Client, err error) error {
	if errors.Is(err, kv.ErrNotCommitted) {
		return c.Violated("C2", "client %d: a blind write was refused: %v", c.ID(), err)
	}
	return err
}

// commit commits the reader and compares the outcome with what was written.
func (r *conflictRange) commit(c *Client, s *conflictState, reader *conflictReader, written []conflictWriter) error {
	due := ""
	for _, w := range written {
		if at, ok := reader.read.common(w.wrote); ok && w.version > reader.version {
			due = reader.places.name(at)
		}
	}
	_, err := c.commitBeside(reader.tx)
	switch {
	case c.unresolved(err):
		s.abandon()
	case err == nil && due != "":
		return c.Violated("C1", "client %d: committed, though it read %s at version %d, which was written later; it did %v, then there were %v",
			c.ID(), due, reader.version, reader.log, written)
	case err == nil:
		s.values = reader.outcome(s.values)
	case errors.Is(err, kv.ErrNotCommitted) && due == "":
		return c.Violated("C2", "client %d: refused, though nothing was written that it read at version %d: it did %v, there were %v",
			c.ID(), reader.version, reader.log, written)
	}
	return err
}

// Check implements Workload.
func (r *conflictRange) Check(ctx context.Context, env *Env) error {
	before := r.known()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	after := r.known()
	for id, s := range before {
		if !s.ready || s.changing || after[id].changes != s.changes || after[id].changing {
			continue
		}
		places := conflictPlaces{env: env, client: id, space: s.space}
		found, err := places.decode(rows)
		if err != nil {
			return env.Violated("C3", "at version %d: %v", version, err)
		}
		if text := differentNumbers(found, s.values); text != "" {
			return env.Violated("C3", "client %d at version %d: %s", id, version, text)
		}
	}
	return nil
}

// known returns what is known of the clients' keys.
func (r *conflictRange) known() map[int]conflictState {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := make(map[int]conflictState)
	for id, s := range r.mu.places {
		known[id] = s
	}
	return known
}
