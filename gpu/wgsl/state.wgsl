// Words of the sequence's state buffer (gpu/README.md).
const STATE_POSITION = 0u;
const STATE_TOKEN = 1u;
const STATE_FIRST_MISS_LAYER = 2u;
const STATE_STEP = 3u;
const NO_MISS = 0xFFFFFFFFu;
