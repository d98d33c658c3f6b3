package workload

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"

	"github.com/plinthdb/plinth/kv"
)

// pads is how many keys hold pads.
const pads = 16

// pad reads a random pad, which must be whole (E5), and writes another.
func (a *attempt) pad(tx *kv.Transaction) error {
	rng := a.client.rng
	value, err := tx.Snapshot().Get(padKey(rng)).Wait()
	if err != nil {
		return err
	}
	if err := checkPad(value); err != nil && !a.inc.Dead() {
		a.violation = a.client.env.Violated("E5", "%v", err)
		return a.violation
	}
	size := min(int(rng.ExpFloat64()*float64(a.client.env.habits.PadBytes)), kv.MaxValueBytes-4)
	tx.Set(padKey(rng), newPad(rng, size))
	return nil
}

func padKey(rng *rand.Rand) []byte { return fmt.Appendf(nil, "pad/%02d", rng.IntN(pads)) }

// newPad returns random bytes that end with their checksum.
func newPad(rng *rand.Rand, size int) []byte {
	value := make([]byte, size, size+12)
	for i := 0; i < size; i += 8 {
		binary.LittleEndian.PutUint64(value[i : i+8 : size+8][:8], rng.Uint64())
	}
	return binary.LittleEndian.AppendUint32(value, crc32.ChecksumIEEE(value))
}

// checkPad accepts an absent value.
func checkPad(value []byte) error {
	if value == nil {
		return nil
	}
	if len(value) < 4 {
		return fmt.Errorf("a pad holds %d bytes", len(value))
	}
	content, sum := value[:len(value)-4], binary.LittleEndian.Uint32(value[len(value)-4:])
	if got := crc32.ChecksumIEEE(content); got != sum {
		return fmt.Errorf("a pad of %d bytes has checksum %08x, its content %08x", len(value), sum, got)
	}
	return nil
}
