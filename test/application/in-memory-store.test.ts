import { otpOutboxContract } from '../contracts/otp-outbox.contract.ts'
import { stepUpsContract } from '../contracts/step-ups.contract.ts'
import { userDirectoryContract } from '../contracts/user-directory.contract.ts'
import { InMemoryStore } from '../doubles/in-memory-store.ts'

const create = async () => {
  const store = new InMemoryStore()
  return { stepUps: store, directory: store, outbox: store }
}

stepUpsContract('in memory', create)
userDirectoryContract('in memory', create)
otpOutboxContract('in memory', create)
