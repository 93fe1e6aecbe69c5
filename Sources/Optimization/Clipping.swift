/// What a gradient is multiplied by so that its global norm is at most `limit`: limit / norm where the norm is larger,
/// else 1. A limit of 0 clips nothing. (Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
/// networks", 2013.)
public func clipFactor(norm: Double, limit: Double) -> Float {
  limit > 0 && norm > limit ? Float(limit / norm) : 1
}
