import { auditTrailContract } from '../contracts/audit-trail.contract.ts'
import { otpOutboxContract } from '../contracts/otp-outbox.contract.ts'
import { stepUpsContract } from '../contracts/step-ups.contract.ts'
import { userRegistryContract } from '../contracts/user-registry.contract.ts'
import { InMemoryStore } from '../doubles/in-memory-store.ts'

const create = async () => {
  const store = new InMemoryStore()
  return { stepUps: store, registry: store, outbox: store, trail: store }
}

stepUpsContract('in memory', create)
userRegistryContract('in memory', create)
otpOutboxContract('in memory', create)
auditTrailContract('in memory', create)
