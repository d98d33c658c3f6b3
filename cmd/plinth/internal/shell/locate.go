package shell

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// locate is read for what only transactions can tell.
func locate[T any](ctx context.Context, s *Session, f func(*kv.Transaction) kv.Future[T]) (T, error) {
	if s.tx != nil {
		return f(s.tx).Wait()
	}
	tx := s.db.Begin(ctx, s.transactionOptions()...)
	defer tx.Cancel()
	for {
		value, err := f(tx).Wait()
		if err == nil {
			return value, nil
		}
		if err := tx.OnError(notLocked(err)); err != nil {
			return value, err
		}
	}
}

func (s *Session) getEstimatedRangeSize(ctx context.Context, args [][]byte) (reply, error) {
	r, err := rangeOf(args)
	if err != nil {
		return reply{}, err
	}
	bytes, err := locate(ctx, s, func(tx *kv.Transaction) kv.Future[int64] { return tx.EstimateRangeBytes(r) })
	if err != nil {
		return reply{}, err
	}
	return reply{fmt.Sprintf("about %d bytes\n", bytes), fields{{"bytes", bytes}}}, nil
}

func (s *Session) getRangeSplitPoints(ctx context.Context, args [][]byte) (reply, error) {
	chunkBytes, err := strconv.ParseInt(string(args[2]), 10, 64)
	if err != nil || chunkBytes <= 0 {
		return reply{}, &misuse{fmt.Sprintf("bad size `%s': it must be a number of bytes, 1 or more", tuple.Printable(args[2]))}
	}
	r := kv.KeyRange{Begin: args[0], End: args[1]}
	points, err := locate(ctx, s, func(tx *kv.Transaction) kv.Future[[][]byte] { return tx.SplitPoints(r, chunkBytes) })
	if err != nil {
		return reply{}, err
	}
	list := []fields{}
	var text strings.Builder
	for _, key := range points {
		list = append(list, fields{{"key", key}})
		text.WriteString(s.keyText(key) + "\n")
	}
	return reply{text.String(), fields{{"keys", list}}}, nil
}

func (s *Session) getBoundaryKeys(ctx context.Context, args [][]byte) (reply, error) {
	r, err := rangeOf(args)
	if err != nil {
		return reply{}, err
	}
	keys, err := s.db.BoundaryKeys(ctx, r, 0)
	if err != nil {
		return reply{}, err
	}
	list := []fields{}
	var text strings.Builder
	for _, key := range keys {
		list = append(list, fields{{"key", key}})
		text.WriteString(s.keyText(key) + "\n")
	}
	return reply{text.String(), fields{{"keys", list}}}, nil
}

func (s *Session) getLocation(ctx context.Context, args [][]byte) (reply, error) {
	addresses, err := locate(ctx, s, func(tx *kv.Transaction) kv.Future[[]string] { return tx.AddressesForKey(args[0]) })
	if err != nil {
		return reply{}, err
	}
	return reply{strings.Join(addresses, "\n") + "\n", fields{{"addresses", addresses}}}, nil
}
