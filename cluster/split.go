package cluster

import (
	"bytes"
	"context"
	"math/big"

	"github.com/plinthdb/plinth/internal/wire"
)

const (
	// maxSplitPoints bounds one answer; smaller chunks than that allows are made
	// larger.
	maxSplitPoints = 10_000
	// maxSplitSteps bounds the search for one point. Each two steps halve what
	// is left, so this is enough for keys that differ only after 32 bytes.
	maxSplitSteps = 512
)

// splitter finds split points by bisection over the key space, in nothing but
// estimates of sizes and looks for the next key.
type splitter struct {
	estimate func(begin, end []byte) (int64, error)
	// next returns the first key with begin <= key < end, nil if there is none.
	next func(ctx context.Context, begin, end []byte) ([]byte, error)
}

// split returns keys that split a range into chunks of about chunkBytes.
func (s *splitter) split(ctx context.Context, begin, end []byte, chunkBytes int64) (points [][]byte, err error) {
	left, err := s.estimate(begin, end)
	if err != nil {
		return nil, err
	}
	chunkBytes = max(chunkBytes, left/maxSplitPoints, 1)
	for from := begin; left > chunkBytes && len(points) < maxSplitPoints; {
		point, err := s.point(ctx, from, end, chunkBytes)
		if err != nil {
			return nil, err
		}
		if point == nil {
			break
		}
		points = append(points, point)
		from = point
		if left, err = s.estimate(from, end); err != nil {
			return nil, err
		}
	}
	return points, nil
}

// point returns a key so that about chunkBytes lie between from and it, nil if
// there is no such key before end.
func (s *splitter) point(ctx context.Context, from, end []byte, chunkBytes int64) (best []byte, err error) {
	low, high := from, end
	for range maxSplitSteps {
		middle := between(low, high)
		if middle == nil {
			middle = wire.KeyAfter(low)
		}
		key, err := s.next(ctx, middle, high)
		if err != nil {
			return nil, err
		}
		if key == nil {
			if high = middle; bytes.Compare(wire.KeyAfter(low), high) >= 0 {
				break
			}
			continue
		}
		size, err := s.estimate(from, key)
		if err != nil {
			return nil, err
		}
		switch {
		case size < chunkBytes-chunkBytes/8:
			low = key
		case size <= chunkBytes+chunkBytes/8:
			return key, nil
		default:
			high, best = key, key
		}
	}
	return best, nil
}

// between returns a key strictly between low and high, about half way, nil if
// there is none or they are hardly apart.
func between(low, high []byte) []byte {
	same := 0
	for same < len(low) && same < len(high) && low[same] == high[same] {
		same++
	}
	for n := same + 8; n <= max(len(low), len(high))+8; n += 8 {
		a, b := fraction(low, n), fraction(high, n)
		sum := a.Add(a, b)
		key := sum.Rsh(sum, 1).FillBytes(make([]byte, n))
		if bytes.Compare(low, key) < 0 && bytes.Compare(key, high) < 0 {
			return key
		}
	}
	return nil
}

// fraction returns the first n bytes of key as a number, as if it went on with
// zeros.
func fraction(key []byte, n int) *big.Int {
	digits := make([]byte, n)
	copy(digits, key)
	return new(big.Int).SetBytes(digits)
}

// SplitPoints returns keys that split a range into chunks of about as many
// bytes as asked for, by EstimateBytes, and at most ten thousand. They are keys
// of rows that there are.
func (l *Local) SplitPoints(ctx context.Context, req *wire.SplitRequest) (wire.SplitReply, error) {
	if err := l.Err(); err != nil {
		return wire.SplitReply{}, err
	}
	s := splitter{estimate: l.storage.EstimateBytes, next: l.nextKey}
	keys, err := s.split(ctx, req.Begin, req.End, req.ChunkBytes)
	return wire.SplitReply{Keys: keys}, l.explain(err)
}

// nextKey returns the first key of a range at the newest version, nil if it is
// empty.
func (l *Local) nextKey(ctx context.Context, begin, end []byte) ([]byte, error) {
	reply, err := l.storage.GetRange(ctx, &wire.GetRangeRequest{Version: l.storage.Version(), Begin: begin, End: end, LimitRows: 1})
	if err != nil || len(reply.Rows) == 0 {
		return nil, err
	}
	return reply.Rows[0].Key, nil
}

// localAddress is where the only storage server is: in this process, where
// nothing listens.
const localAddress = "127.0.0.1:0"

// Locate returns the one shard that there is.
func (l *Local) Locate(context.Context, *wire.LocateRequest) (wire.LocateReply, error) {
	if err := l.Err(); err != nil {
		return wire.LocateReply{}, err
	}
	all := wire.KeyRange{Begin: []byte{}, End: []byte(wire.MaxKey)}
	return wire.LocateReply{Shards: []wire.Shard{{KeyRange: all, Addresses: []string{localAddress}}}}, nil
}
