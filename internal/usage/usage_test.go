package usage

import (
	"runtime"
	"testing"
)

func TestWhatIsResidentIsPartOfWhatIsMapped(t *testing.T) {
	virtual, resident := MemoryBytes()
	if known := resident > 0; known != (runtime.GOOS == "linux") || virtual < resident {
		t.Errorf("%d bytes are resident of %d", resident, virtual)
	}
}

func TestWorkTakesProcessorTime(t *testing.T) {
	before := CPUTime()
	for n := 0; CPUTime() == before && before > 0; n++ {
		if n > 100_000_000 {
			t.Fatalf("still %v", before)
		}
	}
}
