package dump

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/cmd/plinth/internal/escape"
	"github.com/plinthdb/plinth/cmd/plinth/internal/rowjson"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// Format is how a row is written as a line. The zero value is Text.
type Format string

// The formats.
const (
	// Text is key, tab, value, with bytes as \xNN.
	Text Format = "text"
	// JSON is an object of package rowjson, with text where that is possible.
	JSON Format = "json"
	// JSONBase64 is an object of package rowjson, with base64 throughout. It is
	// read as JSON is.
	JSONBase64 Format = "json-base64"
)

// Formats lists all formats.
func Formats() []Format { return []Format{Text, JSON, JSONBase64} }

// maxLineBytes is the longest line that can hold a row within the store's
// limits. Text takes four bytes for one, the tab and the line end. JSON takes
// six, as \u0000, and has names, quotes and perhaps blanks around.
const maxLineBytes = 6*(kv.MaxKeyBytes+kv.MaxValueBytes) + 1000

// systemPrefix begins the keys that belong to the store itself.
const systemPrefix = 0xff

// AppendLine appends the line of a row, with its line end, to dst.
func (f Format) AppendLine(dst []byte, row kv.KeyValue) []byte {
	switch f {
	case JSON:
		return append(rowjson.AppendRow(dst, row, rowjson.Readable), '\n')
	case JSONBase64:
		return append(rowjson.AppendRow(dst, row, rowjson.Base64), '\n')
	}
	dst = append(tuple.AppendPrintable(dst, row.Key), '\t')
	return append(tuple.AppendPrintable(dst, row.Value), '\n')
}

// ParseLine returns the row of a line, which may end in a line feed, with or
// without a carriage return, or in nothing.
func (f Format) ParseLine(line []byte) (kv.KeyValue, error) {
	buf, keyBytes, err := f.parse(nil, trimEnd(line))
	if err != nil {
		return kv.KeyValue{}, err
	}
	return kv.KeyValue{Key: buf[:keyBytes:keyBytes], Value: buf[keyBytes:]}, nil
}

// parse appends key and value of a line without its end to dst. keyBytes is
// the length of the key. On an error the result is dst as it was.
func (f Format) parse(dst, line []byte) (out []byte, keyBytes int, err error) {
	if f == JSON || f == JSONBase64 {
		out, keyBytes, err = rowjson.ParseRow(dst, line)
	} else {
		out, keyBytes, err = parseText(dst, line)
	}
	if err != nil {
		return dst, 0, err
	}
	if err := checkRow(out[len(dst):len(dst)+keyBytes], out[len(dst)+keyBytes:]); err != nil {
		return dst, 0, err
	}
	return out, keyBytes, nil
}

// trimEnd cuts off the line end.
func trimEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// parseText is parse for Text.
func parseText(dst, line []byte) (out []byte, keyBytes int, err error) {
	tab := bytes.IndexByte(line, '\t')
	if tab < 0 {
		return dst, 0, noTab(line)
	}
	out, err = escape.Append(dst, line[:tab])
	if err != nil {
		return dst, 0, fmt.Errorf("key: %w", err)
	}
	keyBytes = len(out) - len(dst)
	out, err = escape.Append(out, line[tab+1:])
	if err != nil {
		return dst, 0, fmt.Errorf("value: %w", moved(err, tab+1))
	}
	return out, keyBytes, nil
}

// noTab is the error of a line of text without a tab.
func noTab(line []byte) error {
	if bytes.HasPrefix(line, []byte("{")) {
		return errors.New("no tab between key and value; for lines of JSON give the format json")
	}
	return errors.New("no tab between key and value")
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

// checkRow says why a row cannot be imported.
func checkRow(key, value []byte) error {
	switch {
	case len(key) > kv.MaxKeyBytes:
		return fmt.Errorf("key has %d bytes, the limit is %d", len(key), kv.MaxKeyBytes)
	case len(key) > 0 && key[0] == systemPrefix:
		return errors.New(`key begins with \xff: it belongs to the store itself and cannot be imported`)
	case len(value) > kv.MaxValueBytes:
		return fmt.Errorf("value has %d bytes, the limit is %d", len(value), kv.MaxValueBytes)
	}
	return nil
}
