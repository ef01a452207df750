/** Field numbers on the wire; `2.1` is field 1 of an embedded message that is field 2. */
export const events: Readonly<Record<string, string>> = {
  EventsV1Event:
    'metadata 1, eventTime 2, series 3, reportingController 4, reportingInstance 5, action 6, reason 7, regarding 8, related 9, note 10, type 11, deprecatedSource 12, deprecatedFirstTimestamp 13, deprecatedLastTimestamp 14, deprecatedCount 15',
  EventsV1EventSeries: 'count 1, lastObservedTime 2',
}
