package bulk

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/kv"
)

// ErrToken says that a text is not one that Scan.Token returned.
var ErrToken = errors.New("text was not made by Token of a scan")

// tokenFormat begins every token. Its ranges follow, as pairs of begin and end,
// each with its length before it.
const tokenFormat = 1

// Token returns what remains of the scan as a text, empty if that is nothing. It
// may be called at any time. With Rows it holds two keys, with Each about two for
// every piece that is being read.
func (s *Scan) Token() string {
	left := s.Remaining()
	if len(left) == 0 {
		return ""
	}
	out := []byte{tokenFormat}
	for _, r := range left {
		for _, key := range [2][]byte{r.Begin, r.End} {
			out = append(binary.AppendUvarint(out, uint64(len(key))), key...)
		}
	}
	return base64.RawURLEncoding.EncodeToString(out)
}

// ResumeScan returns the scan of what remained when a token was made, also one of
// another process. The options may be others. An error wraps ErrToken.
func ResumeScan(db *kv.Database, token string, options ScanOptions) (*Scan, error) {
	left, err := decodeToken(token)
	if err != nil {
		return nil, fmt.Errorf("bulk: token of %d characters: %w: %w", len(token), ErrToken, err)
	}
	return scanOf(db, left, options), nil
}

func decodeToken(token string) (left []kv.KeyRange, err error) {
	if token == "" {
		return nil, nil
	}
	in, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, err
	}
	if len(in) == 0 || in[0] != tokenFormat {
		return nil, errors.New("its format is unknown")
	}
	var before []byte
	for in = in[1:]; len(in) > 0; {
		var r kv.KeyRange
		for _, key := range [2]*[]byte{&r.Begin, &r.End} {
			n, size := binary.Uvarint(in)
			if size <= 0 || n > uint64(len(in)-size) {
				return nil, errors.New("it ends inside a key")
			}
			*key, in = in[size:size+int(n)], in[size+int(n):]
		}
		if bytes.Compare(r.Begin, before) < 0 || r.Empty() {
			return nil, errors.New("its ranges are not in order")
		}
		before = r.End
		left = append(left, r)
	}
	return left, nil
}
