/** The test vectors of docs/integration.md: summaries and their digests, which were computed apart from this code. */
export const SUMMARY_DIGESTS = [
  {
    summary: [
      { label: 'Amount', value: 'EUR 1,250.00' },
      { label: 'To', value: 'ACME GmbH, DE89 3704 0044 0532 0130 00' },
    ],
    digest: 'l1AY7yj4TnaRIGiQbWdMDG4Mk_hJpwsvqW_KjABbG5M',
  },
  {
    summary: [
      { label: 'Betrag', value: '1.250,00 €' },
      { label: 'Empfänger', value: 'Zoë "Z" O’Neil \\ 日本 🏦' },
    ],
    digest: 'J8VnW2umxp80Mq7AO_xR2UmRWPawaod6ayr2L6lsVEA',
  },
  {
    summary: [{ label: 'A', value: '<b>&amp;</b>/' }],
    digest: 'oJZcFLpWBqp50YYUMQjOiKX03OfEY5NI4YhZWI434pM',
  },
] as const
