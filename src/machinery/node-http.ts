/**
 * Node's `http`, for all who start with the cluster. An `import` of it as an ES module reads every export of it,
 * and one of them loads Node's `fetch`: 25 ms at each start for what nobody here uses.
 */
const { createServer, get, request, STATUS_CODES } = process.getBuiltinModule('node:http')

export { createServer, get, request, STATUS_CODES }
