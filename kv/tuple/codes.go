package tuple

// The type codes of FoundationDB's design/tuple.md. Each encoded element
// begins with one; they sort the types.
const (
	codeNull         = 0x00 // nothing follows; inside a nested tuple 0x00 0xff
	codeBytes        = 0x01 // bytes, 0x00 written as 0x00 0xff, then 0x00
	codeString       = 0x02 // likewise
	codeNested       = 0x05 // elements, then 0x00
	codeNegativeBig  = 0x0b // complemented length, complemented magnitude
	codeIntZero      = 0x14 // 0x14±n: n bytes of magnitude, complemented below zero
	codePositiveBig  = 0x1d // length, magnitude
	codeFloat        = 0x20 // 4 bytes
	codeDouble       = 0x21 // 8 bytes
	codeFalse        = 0x26
	codeTrue         = 0x27
	codeUUID         = 0x30 // 16 bytes
	codeVersionstamp = 0x33 // 12 bytes

	terminator = 0x00 // ends a byte string, a string or a nested tuple
	escape     = 0xff // after 0x00: the zero byte is content, not the end
)

const (
	intBytesMax = 8   // longest magnitude of the codes 0x0c to 0x1c
	bigBytesMax = 255 // longest magnitude of 0x0b and 0x1d: the length is one byte
)

// MaxDepth is how deep tuples may nest. A level takes two bytes, so no value
// within the store's limit of 100,000 bytes can hold more.
const MaxDepth = 50_000

// reservedCode says what a code of the published list stands for that no
// FoundationDB binding writes, and "" for every other code.
func reservedCode(code byte) string {
	switch {
	case code == 0x03, code == 0x04:
		return "nested tuple of a withdrawn encoding"
	case code == 0x0a, code == 0x1e:
		return "integer of more than 255 bytes, encoding not published"
	case code == 0x22:
		return "80-bit float"
	case code == 0x23, code == 0x24:
		return "decimal number"
	case code == 0x25:
		return "true of a withdrawn encoding"
	case code == 0x31:
		return "64-bit identifier"
	case code == 0x32:
		return "80-bit versionstamp without user version"
	case 0x40 <= code && code <= 0x4f:
		return "user-defined type"
	case code == 0xff:
		return "escape"
	}
	return ""
}
