package shell

import (
	"context"
	"fmt"
	"strconv"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// read runs f in the transaction or, outside of one, in a transaction of its
// own that is tried again.
func read[T any](ctx context.Context, s *Session, f func(kv.Reader) (T, error)) (T, error) {
	if s.tx != nil {
		return f(s.tx)
	}
	return kv.ReadTransact(ctx, s.db, f)
}

func (s *Session) get(ctx context.Context, args [][]byte) error {
	value, err := read(ctx, s, func(r kv.Reader) ([]byte, error) { return r.Get(args[0]).Wait() })
	if err != nil {
		return err
	}
	s.printValue(args[0], value)
	return nil
}

// printValue prints what get prints; a nil value is that of an absent key.
func (s *Session) printValue(key, value []byte) {
	if value == nil {
		fmt.Fprintf(s.out, "`%s': not found\n", tuple.Printable(key))
		return
	}
	fmt.Fprintf(s.out, "`%s' is `%s'\n", tuple.Printable(key), tuple.Printable(value))
}

func (s *Session) getRange(ctx context.Context, args [][]byte) error {
	return s.printRange(ctx, args, func(row kv.KeyValue) { s.printValue(row.Key, row.Value) })
}

func (s *Session) getRangeKeys(ctx context.Context, args [][]byte) error {
	return s.printRange(ctx, args, func(row kv.KeyValue) { fmt.Fprintf(s.out, "`%s'\n", tuple.Printable(row.Key)) })
}

// printRange prints the rows of the range that the arguments name.
func (s *Session) printRange(ctx context.Context, args [][]byte, print func(kv.KeyValue)) error {
	r, err := rangeOf(args)
	if err != nil {
		return err
	}
	limit := rangeLimit
	if len(args) == 3 {
		limit, err = strconv.Atoi(string(args[2]))
		if err != nil || limit < 0 {
			return &misuse{fmt.Sprintf("bad limit `%s': it must be a number, 0 or more", tuple.Printable(args[2]))}
		}
	}
	var rows []kv.KeyValue
	if limit > 0 { // For the store 0 is no limit; here it is no row.
		options := kv.RangeOptions{Limit: limit}
		rows, err = read(ctx, s, func(reader kv.Reader) ([]kv.KeyValue, error) { return reader.Range(r, options).Slice() })
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(s.out, "\nRange limited to %d keys\n", limit)
	for _, row := range rows {
		print(row)
	}
	fmt.Fprintln(s.out)
	return nil
}

// rangeOf returns the range from the first argument to the second or, without
// a second, of the keys that begin with the first.
func rangeOf(args [][]byte) (kv.KeyRange, error) {
	begin := args[0]
	switch {
	case len(args) > 1:
		return kv.KeyRange{Begin: begin, End: args[1]}, nil
	case len(begin) == 0:
		return kv.AllKeys(), nil
	}
	end, ok := kv.Strinc(begin)
	if !ok {
		return kv.KeyRange{}, &misuse{fmt.Sprintf("no key sorts after all that begin with `%s': give the end of the range", tuple.Printable(begin))}
	}
	return kv.KeyRange{Begin: begin, End: end}, nil
}

func (s *Session) getVersion(ctx context.Context, _ [][]byte) error {
	version, err := read(ctx, s, func(r kv.Reader) (kv.Version, error) { return r.ReadVersion() })
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, version)
	return nil
}
