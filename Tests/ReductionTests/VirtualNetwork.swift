import TestSupport
import Testing

/// Messages between virtual peers. Those of one sender, receiver and tag keep their order; all others arrive in any.
/// A send may be complete before it is received, or not before; its memory is read as late as MPI may read it.
final class VirtualNetwork {
  /// A send or receive under way.
  final class Request {
    let memory: UnsafeMutableBufferPointer<Float>
    /// What was sent, where the send is complete before it is received.
    fileprivate var copy: [Float]?
    fileprivate(set) var isComplete = false

    init(_ memory: UnsafeMutableBufferPointer<Float>) { self.memory = memory }
  }

  private struct Key: Hashable {
    let (sender, receiver, tag): (Int, Int, Int)
  }

  private final class Channel {
    var sends: [Request] = []
    var receives: [Request] = []
    var isActive = false
  }

  private var channels: [Key: Channel] = [:]
  private var active: [Channel] = []

  private func channel(_ sender: Int, _ receiver: Int, _ tag: Int) -> Channel {
    let key = Key(sender: sender, receiver: receiver, tag: tag)
    let channel = channels[key] ?? Channel()
    channels[key] = channel
    if !channel.isActive { active.append(channel) }
    channel.isActive = true
    return channel
  }

  func send(_ request: Request, from sender: Int, to receiver: Int, tag: Int) {
    channel(sender, receiver, tag).sends.append(request)
  }

  func receive(_ request: Request, at receiver: Int, from sender: Int, tag: Int) {
    channel(sender, receiver, tag).receives.append(request)
  }

  /// Whether no message is under way.
  var isEmpty: Bool { active.isEmpty }

  /// One thing happens to a message; false where nothing can.
  func move(_ random: inout SplitMix) -> Bool {
    guard !active.isEmpty else { return false }
    let start = Int.random(in: active.indices, using: &random)
    for index in active.indices {
      let place = (start + index) % active.count
      let channel = active[place]
      guard move(channel, &random) else { continue }
      if channel.sends.isEmpty && channel.receives.isEmpty {
        channel.isActive = false
        active.swapAt(place, active.count - 1)
        active.removeLast()
      }
      return true
    }
    return false
  }

  private func move(_ channel: Channel, _ random: inout SplitMix) -> Bool {
    if let send = channel.sends.first, let receive = channel.receives.first, Bool.random(using: &random) {
      #expect(send.memory.count == receive.memory.count, "a message has the length that its receiver expects")
      let elements = send.copy ?? Array(send.memory)
      _ = receive.memory.update(fromContentsOf: elements)
      (send.isComplete, receive.isComplete) = (true, true)
      channel.sends.removeFirst()
      channel.receives.removeFirst()
      return true
    }
    if let send = channel.sends.first(where: { $0.copy == nil }) {
      send.copy = Array(send.memory)
      send.isComplete = true
      return true
    }
    guard !channel.sends.isEmpty, !channel.receives.isEmpty else { return false }
    return move(channel, &random)
  }
}
