#include "steelyard/hadamard.hpp"

#include <array>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace steelyard {
namespace {

constexpr Eigen::Index kLargest = Eigen::Index{1} << 15U;

bool is_prime(Eigen::Index n) {
  if (n < 2) {
    return false;
  }
  for (Eigen::Index divisor = 2; divisor * divisor <= n; ++divisor) {
    if (n % divisor == 0) {
      return false;
    }
  }
  return true;
}

/// Entry i, j: is j - i a square modulo a prime (+1), or not (-1)? 0 on the diagonal.
SignMatrix jacobsthal(Eigen::Index prime) {
  std::vector<signed char> sign(static_cast<std::size_t>(prime), -1);
  sign[0] = 0;
  for (Eigen::Index i = 1; i < prime; ++i) {
    sign[static_cast<std::size_t>(i * i % prime)] = 1;
  }
  SignMatrix result(prime, prime);
  for (Eigen::Index i = 0; i < prime; ++i) {
    for (Eigen::Index j = 0; j < prime; ++j) {
      result(i, j) = sign[static_cast<std::size_t>((j - i + prime) % prime)];
    }
  }
  return result;
}

/// A prime that is 3 modulo 4: of order prime + 1.
SignMatrix paley_one(Eigen::Index prime) {
  SignMatrix result = SignMatrix::Ones(prime + 1, prime + 1);
  result.bottomRightCorner(prime, prime) = jacobsthal(prime);
  for (Eigen::Index i = 1; i <= prime; ++i) {
    result(i, i) = -1;
  }
  return result;
}

/// A prime that is 1 modulo 4: of order 2 (prime + 1).
SignMatrix paley_two(Eigen::Index prime) {
  SignMatrix conference = SignMatrix::Ones(prime + 1, prime + 1);
  conference.bottomRightCorner(prime, prime) = jacobsthal(prime);
  conference(0, 0) = 0;
  SignMatrix result(2 * (prime + 1), 2 * (prime + 1));
  for (Eigen::Index i = 0; i <= prime; ++i) {
    for (Eigen::Index j = 0; j <= prime; ++j) {
      const signed char s = conference(i, j);
      const bool diagonal = s == 0;
      result(2 * i, 2 * j) = diagonal ? 1 : s;
      result(2 * i, 2 * j + 1) = diagonal ? -1 : s;
      result(2 * i + 1, 2 * j) = diagonal ? -1 : s;
      result(2 * i + 1, 2 * j + 1) = static_cast<signed char>(diagonal ? -1 : -s);
    }
  }
  return result;
}

/// Four circulant matrices of order 23, arranged as quaternions.
SignMatrix williamson_92() {
  constexpr Eigen::Index n = 23;
  constexpr std::array<std::string_view, 4> first{
      "++---+---+-++-+---+---+", "+-++-++--++++++--++-++-", "+++---++-+-++-+-++---++",
      "+++-+++-+------+-+++-++"};
  const auto entry = [&](std::size_t which, Eigen::Index i, Eigen::Index j) {
    return first[which][static_cast<std::size_t>((j - i + n) % n)] == '+' ? 1 : -1;
  };
  constexpr std::array<std::array<int, 4>, 4> arrangement{
      {{1, 2, 3, 4}, {-2, 1, -4, 3}, {-3, 4, 1, -2}, {-4, -3, 2, 1}}};
  SignMatrix result(4 * n, 4 * n);
  for (std::size_t a = 0; a < 4; ++a) {
    for (std::size_t b = 0; b < 4; ++b) {
      const int which = arrangement[a][b];
      const auto index = static_cast<std::size_t>(std::abs(which) - 1);
      for (Eigen::Index i = 0; i < n; ++i) {
        for (Eigen::Index j = 0; j < n; ++j) {
          const int sign = which > 0 ? 1 : -1;
          result(static_cast<Eigen::Index>(a) * n + i, static_cast<Eigen::Index>(b) * n + j) =
              static_cast<signed char>(sign * entry(index, i, j));
        }
      }
    }
  }
  return result;
}

SignMatrix product(const SignMatrix& a, const SignMatrix& b) {
  SignMatrix result(a.rows() * b.rows(), a.cols() * b.cols());
  for (Eigen::Index i = 0; i < a.rows(); ++i) {
    for (Eigen::Index j = 0; j < a.cols(); ++j) {
      result.block(i * b.rows(), j * b.cols(), b.rows(), b.cols()) =
          static_cast<signed char>(a(i, j)) * b;
    }
  }
  return result;
}

std::optional<SignMatrix> direct(Eigen::Index order) {
  if (order == 1) {
    return SignMatrix::Ones(1, 1);
  }
  if (order == 2) {
    SignMatrix two(2, 2);
    two << 1, 1, 1, -1;
    return two;
  }
  if (order % 4 == 0 && is_prime(order - 1)) {
    return paley_one(order - 1);
  }
  if (order % 4 == 0 && (order / 2 - 1) % 4 == 1 && is_prime(order / 2 - 1)) {
    return paley_two(order / 2 - 1);
  }
  if (order == 92) {
    return williamson_92();
  }
  return std::nullopt;
}

std::optional<SignMatrix> construct(Eigen::Index order) {
  if (std::optional<SignMatrix> found = direct(order)) {
    return found;
  }
  for (Eigen::Index factor = 2; factor * factor <= order; ++factor) {
    if (order % factor != 0 || (factor != 2 && factor % 4 != 0)) {
      continue;
    }
    const std::optional<SignMatrix> left = construct(factor);
    const std::optional<SignMatrix> right = left ? construct(order / factor) : std::nullopt;
    if (right) {
      return product(*left, *right);
    }
  }
  return std::nullopt;
}

void normalise(SignMatrix& matrix) {
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    if (matrix(i, 0) < 0) {
      matrix.row(i) *= static_cast<signed char>(-1);
    }
  }
  for (Eigen::Index j = 0; j < matrix.cols(); ++j) {
    if (matrix(0, j) < 0) {
      matrix.col(j) *= static_cast<signed char>(-1);
    }
  }
}

}  // namespace

SignMatrix hadamard(Eigen::Index least) {
  if (least > kLargest) {
    throw std::invalid_argument("a Hadamard matrix of this order is too large");
  }
  Eigen::Index order = least <= 1 ? 1 : least == 2 ? 2 : (least + 3) / 4 * 4;
  std::optional<SignMatrix> found = construct(order);
  while (!found) {
    order += 4;
    found = construct(order);
  }
  normalise(*found);
  return *found;
}

}  // namespace steelyard
