/** What the registry and Berth's token service must agree on: `auth.token.issuer` and `.service` of its configuration. */
export const registryIssuer = 'berth'
export const registryService = 'berth-registry'

/** Path of the token service below the public URL: `auth.token.realm`. */
export const registryTokenPath = '/api/registry/token'

/** Where the registry tells of pushes and pulls: `notifications.endpoints` of its configuration. */
export const registryEventsPath = '/api/registry/events'
