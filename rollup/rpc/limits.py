"""Every limit of the JSON-RPC ports, in one place. docs/rpc.md lists them, and a test holds the page to this file.

A limit that geth or op-geth has is theirs; the comment names where it stands there.
"""

# ------------------------------------------------------------ requests
MAX_BODY = 5 * 1024 * 1024  # bytes of a request (geth rpc/http.go: defaultBodyLimit)
MAX_ENGINE_BODY = 32 * 1024 * 1024  # bytes of a request on the engine port, whose payloads are whole blocks
MAX_VALUES = 150_000  # of a request's JSON: its commas, brackets and braces; reading more takes too long at once
LARGE_BODY = 256 * 1024  # bytes; of requests above it a port reads and answers MAX_LARGE_BODIES at once
MAX_LARGE_BODIES = 32
MAX_BATCH = 1_000  # calls of a batch (geth node/defaults.go: BatchRequestLimit)
MAX_BATCH_ANSWER = 25_000_000  # bytes (geth node/defaults.go: BatchResponseMaxSize)
CALL_SECONDS = 5  # of eth_call and its kin (geth --rpc.evmtimeout)

# ------------------------------------------------------------ connections
MAX_CONNECTIONS = 1_024  # of a port; fewer where the process may not open so many descriptors
MAX_WEBSOCKETS = 256  # of them
IDLE_SECONDS = 120  # of a connection, and for a request's headers to come (geth rpc/http.go: IdleTimeout)
READ_SECONDS = 30  # for a request's body to come (geth rpc/http.go: ReadTimeout)
SKIP_SECONDS = 10  # for the rest of a refused body to come, so that the connection can take another request
SEND_SECONDS = 30  # for an answer or a notification to be taken by its reader (geth rpc/http.go: WriteTimeout)
STOP_SECONDS = 0.5  # for the requests in work to be answered before a port closes
MAX_PORT_HALF_SENT = 64 * 1024 * 1024  # bytes that the WebSockets of a port sent and that are not answered
PING_SECONDS = 30  # between two pings of a WebSocket (geth rpc/websocket.go: wsPingInterval)

# ------------------------------------------------------------ reading
MAX_PROOF_KEYS = 1_024  # slots of eth_getProof (geth internal/ethapi/api.go: maxGetProofKeys)
MAX_PERCENTILES = 100  # of eth_feeHistory (op-geth eth/gasprice/feehistory.go: maxQueryLimit)
MAX_FEE_HISTORY = 1_024  # blocks of eth_feeHistory (geth eth/ethconfig/config.go: MaxHeaderHistory)

MAX_STORAGE_VALUES = 1_024  # slots of eth_getStorageValues (geth internal/ethapi/api.go: maxGetStorageSlots)
MAX_ACCOUNT_RANGE = 256  # accounts of debug_accountRange (geth eth/api_debug.go: AccountRangeMaxResults)
MAX_STORAGE_RANGE = 1_024  # slots of debug_storageRangeAt, and of an account of debug_accountRange

# ------------------------------------------------------------ conditions of transactions
MAX_CONDITION_COST = 1_000  # lookups (op-geth params/conditional_tx_params.go)
CONDITION_COST_PER_SECOND = 5_000  # op-geth --rollup.sequencertxconditionalcostratelimit
CONDITION_COST_BURST = 3_000  # at once (op-geth internal/sequencerapi/api.go)

# ------------------------------------------------------------ calls
MAX_OVERRIDE_CODE = 262_144  # bytes, of all accounts that a call overrides; geth has the request's size only
MAX_OVERRIDE_SLOTS = 16_384  # likewise

MAX_SIMULATED_BLOCKS = 256  # of eth_simulateV1 (geth internal/ethapi/simulate.go: maxSimulateBlocks)
MAX_SIMULATED_BLOCK_CALLS = 5_000  # of one of them (maxSimulateCallsPerBlock)
MAX_SIMULATED_CALLS = 10_000  # of all (maxSimulateTotalCalls)

# ------------------------------------------------------------ traces
TRACE_SECONDS = 5.0  # of one transaction, unless `timeout` says another (geth eth/tracers/api.go: defaultTraceTimeout)
MAX_TRACE_BYTES = 64 * 1024 * 1024  # that the traces of a request may hold; geth has no such limit
MAX_TRACERS = 16  # of a muxTracer
MAX_TRACE_BLOCKS = 100  # of trace_filter (reth: max_trace_filter_blocks)
MAX_TRACES = 10_000  # that trace_filter answers
MAX_OTS_PAGE = 100  # transactions of a page of ots_

# ------------------------------------------------------------ logs
MAX_TOPIC_POSITIONS = 4  # LOG4 has the most topics (geth eth/filters/api.go: maxTopics)
MAX_TOPICS_PER_POSITION = 1_000  # geth eth/filters/api.go: maxSubTopics
MAX_ADDRESSES = 1_000  # of one query (geth eth/ethconfig/config.go: LogQueryLimit)
MAX_LOG_BLOCKS = 100_000  # the distance of the first and last block of eth_getLogs
MAX_LOGS = 100_000  # logs in one answer
MAX_LOG_BYTES = 64 * 1024 * 1024  # bytes of the logs in one answer
LOG_SECONDS = 10  # of one search, without the time in which others have their turn

# ------------------------------------------------------------ filters and subscriptions
MAX_FILTERS = 1_000  # on a port
FILTER_SECONDS = 300  # a filter that is not polled ends (geth eth/filters/filter_system.go: Timeout)
MAX_CRITERIA = 250_000  # addresses and topics of all filters of a port together; of all subscriptions too
MAX_JOURNAL = 32_768  # changes that a port remembers for its filters: blocks, and as many pending transactions
MAX_SUBSCRIPTIONS = 1_000  # on a connection
MAX_PORT_SUBSCRIPTIONS = 10_000
MAX_UNSENT = 4 * 1024 * 1024  # bytes of notifications that one connection leaves unread
MAX_PORT_UNSENT = 64 * 1024 * 1024  # bytes, of all connections of a port together
MAX_EVENTS = 10_000  # blocks and pending transactions whose notifications wait to be made
