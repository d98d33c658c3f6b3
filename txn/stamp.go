package txn

import (
	"fmt"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
)

// fillStamps returns list with the stamp filled into every versionstamped
// mutation, which thereby becomes a plain set. list itself is shared and stays
// as it is.
func fillStamps(list []byte, stamp wire.Stamp) ([]byte, error) {
	out := make([]byte, 0, len(list))
	r := wire.ReadMutations(list)
	for {
		m, ok, err := r.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return out, nil
		}
		switch m.Type {
		case wire.SetVersionstampedKey:
			m.Param1, err = withStamp(m.Param1, stamp)
		case wire.SetVersionstampedValue:
			m.Param2, err = withStamp(m.Param2, stamp)
		}
		if err != nil {
			return nil, err
		}
		if m.Type.IsVersionstamped() {
			m.Type = wire.SetValue
		}
		out = wire.AppendMutation(out, m)
	}
}

func withStamp(param []byte, stamp wire.Stamp) ([]byte, error) {
	content, offset, ok := wire.SplitStampOffset(param)
	if !ok {
		return nil, fmt.Errorf("versionstamped mutation of %d bytes has no room for its stamp", len(param))
	}
	content = slices.Clone(content)
	copy(content[offset:], stamp[:])
	return content, nil
}
