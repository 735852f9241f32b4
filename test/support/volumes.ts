/** What an app keeps in most tests. */
export const dataVolume = { name: 'data', mountPath: '/data', sizeBytes: 32 * 2 ** 20 }
