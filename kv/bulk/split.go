package bulk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/plinthdb/plinth/kv"
)

// splitPoints returns the range's begin, keys in between, and its end.
func splitPoints(ctx context.Context, db *kv.Database, r kv.KeyRange, o ScanOptions) ([][]byte, error) {
	tx := db.Begin(ctx, o.Transaction...)
	defer tx.Cancel()
	for {
		points, err := tx.SplitPoints(r, o.PieceBytes).Wait()
		if err == nil && len(points) > 2 {
			return points, nil
		}
		if err == nil || errors.Is(err, kv.ErrUnsupportedOperation) {
			// The store knows nothing of the range; perhaps it is new.
			points, err = probe(tx.Snapshot(), r)
		}
		if err == nil {
			return points, nil
		}
		if err = tx.OnError(err); err != nil {
			return nil, err
		}
	}
}

const (
	// probeRows is how many rows a piece found by probing has at least, if it is
	// not the last.
	probeRows = 1000
	// maxProbes bounds the time that probing takes.
	maxProbes = 256
)

// probe finds split points with key selectors alone: it halves the range between
// its first and its last key by interpolation, and the halves again, as long as
// they have many rows. Where the keys are so uneven that a half is empty, it cuts
// off some rows at the front instead.
func probe(r kv.Reader, keys kv.KeyRange) ([][]byte, error) {
	points := [][]byte{keys.Begin, keys.End}
	last, err := r.GetKey(kv.LastLessThan(keys.End)).Wait()
	if err != nil || bytes.Compare(last, keys.Begin) <= 0 {
		return points, err
	}
	work := []kv.KeyRange{{Begin: keys.Begin, End: last}}
	for probes := 0; len(work) > 0 && probes < maxProbes; probes++ {
		piece := work[0] // the widest come first
		work = work[1:]
		at, err := probePiece(r, piece)
		if err != nil {
			return nil, err
		}
		if at != nil {
			points = append(points, at)
			work = append(work, kv.KeyRange{Begin: piece.Begin, End: at}, kv.KeyRange{Begin: at, End: piece.End})
		}
	}
	slices.SortFunc(points, bytes.Compare)
	return points, nil
}

// probePiece returns a key at which a piece may be split, nil if it is small.
func probePiece(r kv.Reader, piece kv.KeyRange) ([]byte, error) {
	front := kv.FirstGreaterOrEqual(piece.Begin)
	front.Offset += probeRows
	enough := r.GetKey(front)
	middle := r.GetKey(kv.FirstGreaterOrEqual(between(piece.Begin, piece.End)))
	cut, err := enough.Wait()
	if err != nil || bytes.Compare(cut, piece.End) >= 0 {
		return nil, err
	}
	half, err := middle.Wait()
	if err != nil {
		return nil, err
	}
	if bytes.Compare(half, cut) > 0 && bytes.Compare(half, piece.End) < 0 {
		return half, nil
	}
	return cut, nil
}

// between returns a key about in the middle of a and b, a < b: behind what they
// have in common it takes eight bytes of each as a number.
func between(a, b []byte) []byte {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	low, high := number(a[n:]), number(b[n:])
	return binary.BigEndian.AppendUint64(bytes.Clone(a[:n:n]), low+(high-low)/2)
}

// number returns the first eight bytes of b as a number.
func number(b []byte) uint64 {
	var eight [8]byte
	copy(eight[:], b)
	return binary.BigEndian.Uint64(eight[:])
}
