declare module 'spdy-transport/lib/spdy-transport/protocol/spdy/dictionary.js' {
  /** The compression dictionaries that the SPDY drafts give, by version. */
  const dictionary: { 2: Buffer; 3: Buffer; 3.1: Buffer }
  export default dictionary
}
