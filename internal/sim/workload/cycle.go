package workload

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/plinthdb/plinth/kv"
)

// cycle is FoundationDB's Cycle: the nodes form one ring, each holding the
// number of the next. A transaction picks a node at random, reads the next
// three, and makes the second and third change places. Two that overlap, or
// one that is applied in part, break the ring. A share of the transactions is
// run by Transact, again and again until the nodes have changed places.
//
//	C1  There are as many nodes as Setup wrote.
//	C2  Following the ring from any node visits every node once and comes back.
type cycle struct {
	throng
	nodes int
}

func newCycle(rng *rand.Rand) *cycle {
	return &cycle{throng: drawThrong(rng), nodes: 3 + rng.IntN(1<<rng.IntN(8))}
}

// Name implements Workload.
func (*cycle) Name() string { return "Cycle" }

func (c *cycle) key(env *Env, node uint32) []byte { return env.Key("%06d", node) }

func encodeNode(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func decodeNode(value []byte) (uint32, error) {
	if len(value) != 4 {
		return 0, fmt.Errorf("a node holds %d bytes, not 4", len(value))
	}
	return binary.BigEndian.Uint32(value), nil
}

// Setup implements Workload.
func (c *cycle) Setup(ctx context.Context, env *Env) error {
	return env.Setup(ctx, func(tx *kv.Transaction) error {
		for n := range c.nodes {
			tx.Set(c.key(env, uint32(n)), encodeNode(uint32((n+1)%c.nodes)))
		}
		return nil
	})
}

// Run implements Workload.
func (c *cycle) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, client *Client) error {
		first := uint32(client.Rand().IntN(c.nodes))
		_, err := client.Do(ctx, func(tx *kv.Transaction) error { return c.swap(env, client, tx, first) })
		return err
	})
}

// swap turns the ring ... r1 r2 r3 r4 ... into ... r1 r3 r2 r4 ...
func (c *cycle) swap(env *Env, client *Client, tx *kv.Transaction, r1 uint32) error {
	ring := [4]uint32{r1}
	for i := range 3 {
		value, err := tx.Get(c.key(env, ring[i])).Wait()
		if err != nil {
			return err
		}
		next, err := decodeNode(value)
		if err != nil {
			return client.Violated("C1", "node %d: %v", ring[i], err)
		}
		ring[i+1] = next
	}
	tx.Set(c.key(env, ring[0]), encodeNode(ring[2]))
	tx.Set(c.key(env, ring[2]), encodeNode(ring[1]))
	tx.Set(c.key(env, ring[1]), encodeNode(ring[3]))
	return nil
}

// Check implements Workload.
func (c *cycle) Check(ctx context.Context, env *Env) error {
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	if len(rows) != c.nodes {
		return env.Violated("C1", "%d nodes at version %d, want %d", len(rows), version, c.nodes)
	}
	visited := make([]bool, c.nodes)
	at := uint32(0)
	for step := range c.nodes {
		if int(at) >= c.nodes || visited[at] {
			return env.Violated("C2", "the ring at version %d comes to node %d after %d of %d steps", version, at, step, c.nodes)
		}
		visited[at] = true
		if at, err = decodeNode(rows[at].Value); err != nil {
			return env.Violated("C1", "at version %d: %v", version, err)
		}
	}
	if at != 0 {
		return env.Violated("C2", "the ring at version %d ends at node %d, not where it began", version, at)
	}
	return nil
}
