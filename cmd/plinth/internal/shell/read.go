package shell

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// printable is how words are printed: as keys are.
func printable(word string) string { return tuple.Printable([]byte(word)) }

// read runs f in the transaction or, outside of one, in a transaction of its
// own that is tried again.
func read[T any](ctx context.Context, s *Session, f func(kv.Reader) (T, error)) (T, error) {
	if s.tx != nil {
		return f(s.tx)
	}
	return kv.ReadTransact(ctx, s.db, func(r kv.Reader) (T, error) {
		value, err := f(r)
		return value, notLocked(err)
	}, s.transactionOptions()...)
}

func (s *Session) get(ctx context.Context, args [][]byte) (reply, error) {
	key := args[0]
	value, err := read(ctx, s, func(r kv.Reader) ([]byte, error) { return r.Get(key).Wait() })
	if err != nil {
		return reply{}, err
	}
	result := fields{{"key", key}, {"found", value != nil}}
	if value != nil {
		result = append(result, field{"value", value})
	}
	return reply{s.valueText(key, value), result}, nil
}

// valueText is what get prints; a nil value is that of an absent key.
func (s *Session) valueText(key, value []byte) string {
	if value == nil {
		return fmt.Sprintf("%s: not found\n", s.keyText(key))
	}
	return fmt.Sprintf("%s is `%s'\n", s.keyText(key), s.display.value(value))
}

func (s *Session) getRange(ctx context.Context, args [][]byte) (reply, error) {
	rows, limit, err := s.rangeRows(ctx, args, "getrange")
	if err != nil {
		return reply{}, err
	}
	list := []fields{}
	var text strings.Builder
	for _, row := range rows {
		list = append(list, fields{{"key", row.Key}, {"value", row.Value}})
		text.WriteString(s.valueText(row.Key, row.Value))
	}
	return rangeReply(text.String(), fields{{"rows", list}}, len(rows), limit), nil
}

func (s *Session) getRangeKeys(ctx context.Context, args [][]byte) (reply, error) {
	rows, limit, err := s.rangeRows(ctx, args, "getrangekeys")
	if err != nil {
		return reply{}, err
	}
	list := []fields{}
	var text strings.Builder
	for _, row := range rows {
		list = append(list, fields{{"key", row.Key}})
		text.WriteString(s.keyText(row.Key) + "\n")
	}
	return rangeReply(text.String(), fields{{"keys", list}}, len(rows), limit), nil
}

// rangeReply is the reply of a command that read up to limit rows.
func rangeReply(lines string, result fields, rows, limit int) reply {
	return reply{
		text:   fmt.Sprintf("\nRange limited to %d keys\n%s\n", limit, lines),
		result: append(result, field{"limit", limit}, field{"limit_reached", rows == limit}),
	}
}

// rangeRows returns the rows of the range that the arguments name, and the
// limit that they set.
func (s *Session) rangeRows(ctx context.Context, args [][]byte, name string) ([]kv.KeyValue, int, error) {
	r, err := rangeOf(args)
	if err != nil {
		return nil, 0, err
	}
	options := kv.RangeOptions{Limit: rangeLimit}
	if len(args) > 2 {
		options.Limit, err = strconv.Atoi(string(args[2]))
		if err != nil || options.Limit < 0 {
			return nil, 0, &misuse{fmt.Sprintf("bad limit `%s': it must be a number, 0 or more", tuple.Printable(args[2]))}
		}
	}
	if len(args) > 3 {
		if string(args[3]) != "reverse" {
			return nil, 0, usageOf(name)
		}
		options.Reverse = true
	}
	if options.Limit == 0 { // For the store that is no limit; here it is no row.
		return nil, 0, nil
	}
	rows, err := read(ctx, s, func(reader kv.Reader) ([]kv.KeyValue, error) { return reader.Range(r, options).Slice() })
	return rows, options.Limit, err
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

// selectors names the four kinds of key selectors.
func selectors() map[string]func(key []byte) kv.KeySelector {
	return map[string]func(key []byte) kv.KeySelector{
		"lt": kv.LastLessThan,
		"le": kv.LastLessOrEqual,
		"gt": kv.FirstGreaterThan,
		"ge": kv.FirstGreaterOrEqual,
	}
}

func (s *Session) getKey(ctx context.Context, args [][]byte) (reply, error) {
	from, ok := selectors()[string(args[0])]
	if !ok {
		return reply{}, usageOf("getkey")
	}
	selector := from(args[1])
	if len(args) == 3 {
		offset, err := strconv.Atoi(string(args[2]))
		if err != nil {
			return reply{}, &misuse{fmt.Sprintf("bad offset `%s': it must be a number", tuple.Printable(args[2]))}
		}
		selector.Offset += offset
	}
	key, err := read(ctx, s, func(r kv.Reader) ([]byte, error) { return r.GetKey(selector).Wait() })
	if err != nil {
		return reply{}, err
	}
	return reply{s.keyText(key) + "\n", fields{{"key", key}}}, nil
}

func (s *Session) getVersion(ctx context.Context, _ [][]byte) (reply, error) {
	version, err := read(ctx, s, func(r kv.Reader) (kv.Version, error) { return r.ReadVersion() })
	if err != nil {
		return reply{}, err
	}
	return reply{fmt.Sprintln(version), fields{{"version", version}}}, nil
}
