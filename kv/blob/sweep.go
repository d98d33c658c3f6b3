package blob

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// stampBytes is the length of the value of an upload.
const stampBytes = wire.StampBytes

// sweepRows is how many uploads one transaction of a sweep looks at.
const sweepRows = 100

// Sweep removes the uploads that were given up: those that wrote nothing for the
// time of the lease of this Store's options. It returns how many they were. Run
// it now and then where uploads may die; several at once do no harm.
func (s *Store) Sweep(ctx context.Context, db *kv.Database) (removed int, err error) {
	left := s.uploads.Range()
	for !left.Empty() {
		type page struct {
			removed int
			left    kv.KeyRange
		}
		p, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (p page, err error) {
			p.removed, p.left, err = s.sweepPage(tx, left)
			return p, err
		}, s.options.Transaction...)
		if err != nil {
			return removed, at("sweep", "", err)
		}
		removed, left = removed+p.removed, p.left
	}
	return removed, nil
}

// sweepPage removes the uploads that were given up among the first in a range,
// and returns what is left of the range.
func (s *Store) sweepPage(tx *kv.Transaction, uploads kv.KeyRange) (removed int, left kv.KeyRange, err error) {
	rows, err := tx.Range(uploads, kv.RangeOptions{Limit: sweepRows}).Slice()
	if err != nil || len(rows) == 0 {
		return 0, kv.KeyRange{}, err
	}
	now, err := tx.ReadVersion()
	if err != nil {
		return 0, kv.KeyRange{}, err
	}
	for _, row := range rows {
		id, written, err := s.decodeUpload(row)
		if err != nil {
			return 0, kv.KeyRange{}, err
		}
		if written+s.leaseVersions() < now {
			tx.Clear(row.Key)
			tx.ClearRange(s.contentRange(id))
			removed++
		}
	}
	if len(rows) < sweepRows {
		return removed, kv.KeyRange{}, nil
	}
	return removed, kv.KeyRange{Begin: kv.KeyAfter(rows[len(rows)-1].Key), End: bytes.Clone(uploads.End)}, nil
}

// decodeUpload returns the content that a registered upload writes, and the
// version of its last transaction.
func (s *Store) decodeUpload(row kv.KeyValue) (id tuple.UUID, written kv.Version, err error) {
	key, err := s.uploads.Unpack(row.Key)
	if err == nil {
		id, err = tuple.At[tuple.UUID](key, 1)
	}
	if err == nil && len(row.Value) != stampBytes {
		err = errors.New("its value is no versionstamp")
	}
	if err != nil {
		return id, 0, &DamagedError{Key: row.Key, Err: err}
	}
	return id, kv.Version(binary.BigEndian.Uint64(row.Value)), nil
}
