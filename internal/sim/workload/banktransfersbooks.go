package workload

import (
	"bytes"
	"fmt"

	"github.com/plinthdb/plinth/kv"
)

// books is what the store holds of a bank at one version.
type books struct {
	balances []int64        // by account
	expected []int64        // by account: the opening balance, with the journal
	closed   map[int]uint64 // transfers that have left the journal, by client
	journal  []transfer
	entered  map[transferID]bool
}

// readBooks reads all rows.
func (b *bankTransfers) readBooks(env *Env, rows []kv.KeyValue) (*books, error) {
	bk := &books{closed: make(map[int]uint64), entered: make(map[transferID]bool)}
	for _, row := range rows {
		kind, rest, _ := bytes.Cut(row.Key[len("BankTransfers/"):], []byte("/"))
		var err error
		switch string(kind) {
		case "audited":
		case "journal":
			err = b.readEntry(env, bk, rest, row.Value)
		default:
			err = bk.readNumber(env, string(kind), string(rest), row.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(bk.expected) != b.accounts {
		return nil, env.Violated("B2", "there are %d opening balances, not %d", len(bk.expected), b.accounts)
	}
	for _, t := range bk.journal {
		bk.expected[t.from] -= int64(t.amount)
		bk.expected[t.to] += int64(t.amount)
	}
	return bk, nil
}

// readEntry reads an entry of the journal and compares its stamp.
func (b *bankTransfers) readEntry(env *Env, bk *books, stamp, value []byte) error {
	t, err := b.decodeTransfer(value)
	if err != nil {
		return env.Violated("B2", "journal entry %x: %v", stamp, err)
	}
	if v, ok := b.commitOf(t.transferID); ok && v != stampVersion(stamp) {
		return env.Violated("B4", "transfer %+v has stamp %x, its commit returned version %d", t.transferID, stamp, v)
	}
	if bk.entered[t.transferID] {
		return env.Violated("B3", "transfer %+v is in the journal twice", t.transferID)
	}
	bk.entered[t.transferID] = true
	bk.journal = append(bk.journal, t)
	return nil
}

// readNumber reads a row that holds a number. Accounts come in their order.
func (bk *books) readNumber(env *Env, kind, name string, value []byte) error {
	n, err := decodeAmount(value)
	if err != nil {
		return env.Violated("B2", "%s/%s: %v", kind, name, err)
	}
	switch kind {
	case "account":
		bk.balances = append(bk.balances, n)
	case "opening":
		bk.expected = append(bk.expected, n)
	case "closed":
		var client int
		if _, err := fmt.Sscanf(name, "%d", &client); err != nil {
			return env.Violated("B3", "%s/%s is nobody's", kind, name)
		}
		bk.closed[client] = uint64(n)
	default:
		return env.Violated("B2", "there is a key %s/%s", kind, name)
	}
	return nil
}

// transfers counts those of a client.
func (bk *books) transfers(client int) uint64 {
	n := bk.closed[client]
	for _, t := range bk.journal {
		if t.client == client {
			n++
		}
	}
	return n
}
