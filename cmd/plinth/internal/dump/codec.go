package dump

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/cmd/plinth/internal/escape"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// maxLineBytes is the longest line that can hold a row within the store's
// limits: every byte escaped in four, the tab and the line end.
const maxLineBytes = 4*(kv.MaxKeyBytes+kv.MaxValueBytes) + 3

// systemPrefix begins the keys that belong to the store itself.
const systemPrefix = 0xff

// AppendLine appends the line of a row, with its line end, to dst.
func AppendLine(dst []byte, row kv.KeyValue) []byte {
	dst = append(tuple.AppendPrintable(dst, row.Key), '\t')
	return append(tuple.AppendPrintable(dst, row.Value), '\n')
}

// ParseLine returns the row of a line, which may end in a line feed, with or
// without a carriage return, or in nothing.
func ParseLine(line []byte) (kv.KeyValue, error) {
	buf, keyBytes, err := parseLine(nil, trimEnd(line))
	if err != nil {
		return kv.KeyValue{}, err
	}
	return kv.KeyValue{Key: buf[:keyBytes:keyBytes], Value: buf[keyBytes:]}, nil
}

// trimEnd cuts off the line end.
func trimEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// parseLine appends key and value of a line without its end to dst. keyBytes
// is the length of the key. On an error the result is dst as it was.
func parseLine(dst, line []byte) (out []byte, keyBytes int, err error) {
	tab := bytes.IndexByte(line, '\t')
	if tab < 0 {
		return dst, 0, errors.New("no tab between key and value")
	}
	out, err = escape.Append(dst, line[:tab])
	if err != nil {
		return dst, 0, fmt.Errorf("key: %w", err)
	}
	keyBytes = len(out) - len(dst)
	if err := checkKey(out[len(dst):]); err != nil {
		return dst, 0, err
	}
	out, err = escape.Append(out, line[tab+1:])
	if err != nil {
		return dst, 0, fmt.Errorf("value: %w", moved(err, tab+1))
	}
	if n := len(out) - len(dst) - keyBytes; n > kv.MaxValueBytes {
		return dst, 0, fmt.Errorf("value has %d bytes, the limit is %d", n, kv.MaxValueBytes)
	}
	return out, keyBytes, nil
}

// moved makes the column of an escape.Error count from the beginning of the
// line.
func moved(err error, columns int) error {
	var syntax *escape.Error
	if !errors.As(err, &syntax) {
		return err
	}
	return &escape.Error{Column: syntax.Column + columns, Reason: syntax.Reason}
}

// checkKey says why a key cannot be imported.
func checkKey(key []byte) error {
	switch {
	case len(key) > kv.MaxKeyBytes:
		return fmt.Errorf("key has %d bytes, the limit is %d", len(key), kv.MaxKeyBytes)
	case len(key) > 0 && key[0] == systemPrefix:
		return errors.New(`key begins with \xff: it belongs to the store itself and cannot be imported`)
	}
	return nil
}
