package host

import "strings"

// head keeps the first limit bytes that are written to it.
type head struct {
	strings.Builder
	limit int
}

// Write implements io.Writer. What is beyond the limit is dropped.
func (h *head) Write(p []byte) (int, error) {
	if room := h.limit - h.Len(); room < len(p) {
		h.Builder.Write(p[:max(0, room)])
		return len(p), nil
	}
	return h.Builder.Write(p)
}
