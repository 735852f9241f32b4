/** Roles of a member in a team, weakest first: each may do all that those before it may. */
export const roles = ['viewer', 'developer', 'admin', 'owner'] as const

export type Role = (typeof roles)[number]

/** What a member may have in one project: what the role in the team says, nothing, or another role. */
export const projectAccesses = ['team', 'none', 'viewer', 'developer', 'admin'] as const

export type ProjectAccess = (typeof projectAccesses)[number]

/** Whether `role` is at least `needed`. */
export function roleIncludes(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed)
}
