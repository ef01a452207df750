/** Certificate signing requests: who asked is written down by the server; who approves and who signs needs the right for that signer. */
import type { ServerPart, ServerPartFactory } from '../contracts.ts'
import { certificateApproval, certificateSigning } from './signer-rights.ts'
import { certificateSubjectRestriction } from './subject-restriction.ts'

export const certificates: ServerPartFactory = (server): ServerPart => ({
  name: 'certificates',
  admission: [certificateApproval(server), certificateSigning(server), certificateSubjectRestriction],
  hooks: {
    'certificatesigningrequests.certificates.k8s.io': {
      beforeCreate(draft, { user }) {
        const { username: _name, uid: _uid, groups: _groups, extra: _extra, ...asked } = draft.spec as Record<string, unknown>
        draft.spec = {
          ...asked,
          username: user.name,
          ...(user.uid ? { uid: user.uid } : {}),
          groups: user.groups,
          ...(user.extra && Object.keys(user.extra).length > 0 ? { extra: user.extra } : {}),
        }
        return undefined
      },
    },
  },
})
