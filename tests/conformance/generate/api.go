package generate

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/big"
)

// API returns a program of about so many steps on the whole of the client but
// threads and directories.
func API(seed uint64, steps int) *Program {
	b := newBuilder(kindAPI, seed, "test")
	a := &apiBuilder{b, "k"}
	a.fresh("NEW_TRANSACTION")
	a.end()
	a.someRows()
	ways := a.ways()
	for range steps {
		b.choose(ways)
	}
	for i := range transactionNames {
		a.use(transactionName(i))
		a.commit()
		a.end()
	}
	b.logStack()
	return &Program{Kind: "api", Seed: seed, Threads: []Thread{b.thread}, Stamps: true}
}

// transactionNames is how many transactions a program uses in turn.
const transactionNames = 3

func transactionName(i int) []byte { return fmt.Appendf(nil, "transaction-%d", i) }

// apiBuilder makes steps of API programs. All keys begin with prefix.
type apiBuilder struct {
	*builder
	prefix string
}

func (a *apiBuilder) ways() []weighted {
	return []weighted{
		{14, a.gets}, {6, a.getKey}, {6, a.getRange}, {4, a.getRangeStartsWith}, {5, a.getRangeSelector},
		{3, a.readVersion}, {1, a.oldVersion},
		{12, a.set}, {4, a.clear}, {4, a.clearRange}, {2, a.clearRangeStartsWith}, {12, a.atomic},
		{2, a.stampedValue}, {2, a.stampedKey},
		{4, a.conflict}, {2, func() { a.op("DISABLE_WRITE_CONFLICT"); a.set() }},
		{9, a.commitAndGoOn}, {3, func() { a.fresh("RESET") }}, {1, a.cancel}, {3, a.onError},
		{2, func() { a.fresh("NEW_TRANSACTION") }}, {4, a.blind}, {14, a.useTransaction},
		{2, func() { a.op("GET_APPROXIMATE_SIZE") }}, {2, a.estimate}, {2, a.splitPoints}, {2, func() { a.op("GET_COMMITTED_VERSION") }},
		{2, a.invalid}, {4, a.data}, {1, a.logStack},
	}
}

// fresh makes or resets a transaction by an operation, and fixes its read
// version: when a client does that by itself is its own business (G2).
func (a *apiBuilder) fresh(operation string) {
	a.op(operation)
	a.op("GET_READ_VERSION")
}

// use goes on with a transaction, which may be new.
func (a *apiBuilder) use(name []byte) {
	a.call("USE_TRANSACTION", name)
	a.op("GET_READ_VERSION")
}

// blind is a transaction that writes and does not read.
func (a *apiBuilder) blind() {
	a.op("NEW_TRANSACTION")
	for range 1 + a.IntN(3) {
		pick(a.builder, a.set, a.atomic, a.clearRange, a.clear)()
	}
	a.stampAndCommit()
	a.fresh("NEW_TRANSACTION")
}

func (a *apiBuilder) someRows() {
	for range 8 {
		a.call("SET_DATABASE", a.key(), a.value())
		a.op("POP")
		a.end()
	}
}

// key returns one of few keys, so that operations meet.
func (a *apiBuilder) key() []byte {
	key := []byte(a.prefix)
	for range a.IntN(3) {
		key = append(key, "abc"[a.IntN(3)])
	}
	return key
}

// ordered returns two keys in order.
func (a *apiBuilder) ordered() (begin, end []byte) {
	begin, end = a.key(), a.key()
	if bytes.Compare(begin, end) > 0 {
		begin, end = end, begin
	}
	return begin, end
}

func (a *apiBuilder) value() []byte {
	value := make([]byte, a.IntN(10))
	for i := range value {
		value[i] = pick[byte](a.builder, 0, 1, 'x', 0xfe, 0xff)
	}
	return value
}

// reading returns the name of a read in one of its variants.
func (a *apiBuilder) reading(name string) string {
	return name + pick(a.builder, "", "", "", "_SNAPSHOT", "_DATABASE")
}

// writing returns the name of a write in one of its variants, and pops what
// the variant on the database pushes.
func (a *apiBuilder) writing(name string, operands ...any) {
	if a.chance(20) {
		a.call(name+"_DATABASE", operands...)
		return
	}
	a.call(name, operands...)
}

// gets issues some gets before it waits for them.
func (a *apiBuilder) gets() {
	n := 1 + a.IntN(3)
	for range n {
		a.call(a.reading("GET"), a.key())
	}
	a.waitFor(n)
}

func (a *apiBuilder) selector() []any {
	return []any{a.key(), int64(a.IntN(2)), int64(a.IntN(9) - 4)}
}

func (a *apiBuilder) getKey() {
	a.call(a.reading("GET_KEY"), append(a.selector(), []byte(a.prefix))...)
}

// rangeOptions returns limit, reverse and streaming mode.
func (a *apiBuilder) rangeOptions() []any {
	limit, mode := int64(0), int64(a.IntN(7)-2)
	if a.chance(50) {
		limit = int64(1 + a.IntN(5))
	} else if mode == 0 && a.chance(80) {
		mode = -1 // exact is an error without a limit
	}
	return []any{limit, int64(a.IntN(2)), mode}
}

func (a *apiBuilder) getRange() {
	begin, end := a.ordered()
	if a.chance(3) {
		begin, end = end, begin
	}
	a.call(a.reading("GET_RANGE"), append([]any{begin, end}, a.rangeOptions()...)...)
}

func (a *apiBuilder) getRangeStartsWith() {
	a.call(a.reading("GET_RANGE_STARTS_WITH"), append([]any{a.key()}, a.rangeOptions()...)...)
}

func (a *apiBuilder) getRangeSelector() {
	operands := append(a.selector(), a.selector()...)
	operands = append(append(operands, a.rangeOptions()...), []byte(a.prefix))
	a.call(a.reading("GET_RANGE_SELECTOR"), operands...)
}

// estimate asks for the size of a range, seldom one in the wrong order.
func (a *apiBuilder) estimate() {
	begin, end := a.measured()
	a.call(a.reading("GET_ESTIMATED_RANGE_SIZE"), begin, end)
}

// splitPoints asks for the split points of a range, seldom for chunks of no
// size.
func (a *apiBuilder) splitPoints() {
	begin, end := a.measured()
	a.call(a.reading("GET_RANGE_SPLIT_POINTS"), begin, end, a.chunkBytes())
}

// chunkBytes is seldom so little that a range has a point for each row.
func (a *apiBuilder) chunkBytes() int64 {
	return pick[int64](a.builder, 1, 1000, 1000, 1000, 10_000, 10_000, 1<<40, 1<<40, 0, -1)
}

// measured returns the bounds of a range whose size is asked for.
func (a *apiBuilder) measured() (begin, end []byte) {
	begin, end = a.ordered()
	switch a.IntN(12) {
	case 0:
		return end, begin
	case 1:
		return nil, []byte("\xff")
	case 2:
		return begin, []byte("\xff\xff")
	case 3:
		return begin, longKey()
	}
	return begin, end
}

func (a *apiBuilder) readVersion() {
	a.op("GET_READ_VERSION" + pick(a.builder, "", "_SNAPSHOT"))
}

// oldVersion lets a new transaction read what an earlier one read.
func (a *apiBuilder) oldVersion() {
	a.op("GET_READ_VERSION")
	a.call("SET_DATABASE", a.key(), a.value())
	a.op("NEW_TRANSACTION")
	a.op("SET_READ_VERSION")
	a.call("GET", a.key())
	a.waitFor(1)
}

func (a *apiBuilder) set() { a.writing("SET", a.key(), a.value()) }

func (a *apiBuilder) clear() { a.writing("CLEAR", a.key()) }

func (a *apiBuilder) clearRange() {
	begin, end := a.ordered()
	a.writing("CLEAR_RANGE", begin, end)
}

func (a *apiBuilder) clearRangeStartsWith() {
	a.writing("CLEAR_RANGE_STARTS_WITH", append(a.key(), 'a'))
}

func (a *apiBuilder) atomic() {
	name := pick(a.builder, "ADD", "AND", "BIT_AND", "OR", "BIT_OR", "XOR", "BIT_XOR", "APPEND_IF_FITS",
		"MAX", "MIN", "BYTE_MIN", "BYTE_MAX", "COMPARE_AND_CLEAR")
	a.writing("ATOMIC_OP", name, a.key(), a.value())
}

// stampBytes is the room that a stamp takes.
const stampBytes = 10

// withPlace returns content with room for a stamp at a place, and the place.
func withPlace(before, after string) []byte {
	param := append([]byte(before), make([]byte, stampBytes)...)
	param = append(param, after...)
	return binary.LittleEndian.AppendUint32(param, uint32(len(before)))
}

func (a *apiBuilder) stampedValue() {
	a.writing("ATOMIC_OP", "SET_VERSIONSTAMPED_VALUE", a.key(), withPlace(pick(a.builder, "", "before "), pick(a.builder, "", "after")))
}

// stampedPrefix is what versionstamped keys begin with. The instructions lie
// between them and all other keys (G2).
const stampedPrefix = "\x00stamped"

// stampedKey writes versionstamped keys in a transaction of their own.
func (a *apiBuilder) stampedKey() {
	a.call("USE_TRANSACTION", []byte("stamper"))
	a.op("NEW_TRANSACTION")
	if a.chance(50) {
		a.call("GET", a.key())
		a.waitFor(1)
	}
	a.call("ATOMIC_OP", "SET_VERSIONSTAMPED_KEY", withPlace(stampedPrefix, "/"), a.value())
	if a.chance(30) {
		a.call("GET", []byte(stampedPrefix+"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff/")) // unreadable
		a.waitFor(1)
	}
	a.set()
	a.stampAndCommit()
	a.use(transactionName(a.IntN(transactionNames)))
}

// stampAndCommit commits and gets the stamp of the commit.
func (a *apiBuilder) stampAndCommit() {
	a.op("GET_VERSIONSTAMP")
	a.commit()
	a.op("GET_COMMITTED_VERSION")
	a.op("RESET") // a commit that could not begin gives no stamp
	a.op("GET_READ_VERSION")
	a.call("SWAP", int64(3))
	a.op("WAIT_FUTURE")
}

func (a *apiBuilder) conflict() {
	name := pick(a.builder, "READ_CONFLICT_", "WRITE_CONFLICT_")
	if a.chance(50) {
		a.call(name+"KEY", a.key())
		return
	}
	begin, end := a.ordered()
	a.call(name+"RANGE", begin, end)
}

func (a *apiBuilder) commit() {
	a.op("COMMIT")
	a.waitFor(1)
}

func (a *apiBuilder) commitAndGoOn() {
	if a.chance(20) {
		a.stampAndCommit()
		return
	}
	a.commit()
	switch a.IntN(8) {
	case 0: // whatever comes next is a mistake
	case 1, 2, 3:
		a.op("GET_COMMITTED_VERSION")
		a.fresh("NEW_TRANSACTION")
	case 4:
		a.call("ON_ERROR", int64(1020))
		a.waitFor(1)
		a.op("GET_READ_VERSION")
	default:
		a.fresh("RESET")
	}
}

func (a *apiBuilder) cancel() {
	a.op("CANCEL")
	if a.chance(50) {
		a.call("GET", a.key())
		a.waitFor(1)
		a.commit()
	}
	a.fresh(pick(a.builder, "NEW_TRANSACTION", "RESET"))
}

func (a *apiBuilder) onError() {
	code := pick(a.builder, 1007, 1009, 1020, 1020, 1021, 1037, 1039, 2000, 2101, 1031)
	a.call("ON_ERROR", int64(code))
	a.waitFor(1)
	a.op("GET_READ_VERSION")
	if a.chance(40) {
		a.fresh("RESET")
	}
}

func (a *apiBuilder) useTransaction() {
	a.use(transactionName(a.IntN(transactionNames)))
}

// invalid does something that is not allowed.
func (a *apiBuilder) invalid() {
	switch a.IntN(10) {
	case 7:
		a.call("GET", longKey())
		a.waitFor(1)
	case 8:
		a.call("CLEAR", longKey())
	case 9:
		a.call(pick(a.builder, "READ_CONFLICT_KEY", "WRITE_CONFLICT_KEY", "SET"), longKey(), a.value())
	case 0:
		a.call("GET", []byte("\xff/system"))
		a.waitFor(1)
	case 1:
		a.call("SET", []byte("\xff/system"), a.value())
	case 2:
		a.call("CLEAR_RANGE", []byte("kz"), []byte("k"))
	case 3:
		a.call(pick(a.builder, "READ_CONFLICT_RANGE", "WRITE_CONFLICT_RANGE"), []byte("kz"), []byte("k"))
	case 4:
		a.call("ATOMIC_OP", "SET_VERSIONSTAMPED_VALUE", a.key(), []byte("no place"))
	case 5:
		a.call("GET_RANGE", []byte("k"), []byte("\xff\xff"), int64(1), int64(0), int64(-1))
	case 6:
		a.op("SET_READ_VERSION")
	}
}

// longKey is too long for a key.
func longKey() []byte { return bytes.Repeat([]byte("k"), maxKeyBytes+1) }

// maxKeyBytes is the limit that FoundationDB documents.
const maxKeyBytes = 10_000

// data does something with the stack alone.
func (a *apiBuilder) data() {
	switch a.IntN(7) {
	case 0:
		a.call("CONCAT", a.value(), a.value())
	case 1:
		a.call("CONCAT", "π ", "unicode")
	case 2:
		a.call("SUB", int64(a.Int64()), int64(-a.Int64()))
	case 3:
		a.call("SUB", new(big.Int).Lsh(big.NewInt(a.Int64()), 70), uint64(1)<<63)
	case 4:
		a.push(a.value(), a.value(), nil)
		a.call("SWAP", int64(2))
	case 5:
		a.push(a.value())
		a.op("DUP")
		a.op("POP")
	case 6:
		a.push(a.value())
		a.op("EMPTY_STACK")
	}
}
