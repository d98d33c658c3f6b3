package tuple

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// String returns the tuple for people to read, such as ("user", 42, b"\x01").
func (tuple Tuple) String() string {
	var b strings.Builder
	tuple.write(&b)
	return b.String()
}

func (tuple Tuple) write(b *strings.Builder) {
	b.WriteByte('(')
	for i, e := range tuple {
		if i > 0 {
			b.WriteString(", ")
		}
		switch v := e.(type) {
		case Tuple:
			v.write(b)
		case nil:
			b.WriteString("<nil>")
		case string:
			b.WriteString(strconv.Quote(v))
		case UUID:
			b.WriteString("UUID(" + v.String() + ")")
		case []byte:
			b.WriteString(`b"` + fdb.Printable(v) + `"`)
		case fdb.KeyConvertible:
			b.WriteString(`b"` + fdb.Printable(v.FDBKey()) + `"`)
		default:
			fmt.Fprint(b, v)
		}
	}
	b.WriteByte(')')
}
