# Writes down every statement that Ruby's sqlite3 runs on the copy, one JSON object a line.
#
# Loaded by Ruby before the command's own code; whatever goes wrong here must not reach that code. No library is loaded here: the
# command's own choice of versions would come too late.
module RehearseTrace
  TRACE = ENV["REHEARSE_TRACE"]
  COPY = ENV["REHEARSE_TRACE_DATABASE"]

  def self.copy?(name)
    File.identical?(name.to_s.sub(/\Afile:/, "").sub(/\?.*\z/, ""), COPY)
  end

  def self.write(line)
    File.open(TRACE, "a") { |file| file.write("#{line}\n") }
  rescue StandardError
    nil
  end

  def self.statement(sql)
    # What a trigger does is told as a comment.
    return if sql.start_with?("--")

    text = sql.dup.force_encoding(Encoding::UTF_8).scrub
    write(%({"sql":"#{text.gsub(/["\\\x00-\x1f]/) { |char| format('\\u%04x', char.ord) }}"}))
  rescue StandardError
    nil
  end

  module Database
    def initialize(name, *rest, **options, &block)
      super
      RehearseTrace.opened(self) if RehearseTrace.copy?(name)
    end
  end

  def self.opened(database)
    enforced = database.get_first_value("PRAGMA foreign_keys").to_i == 1
    write(%({"library":"ruby","foreign_keys":#{enforced}}))
    database.trace { |sql| statement(sql) }
  rescue StandardError
    nil
  end

  module Require
    def require(name)
      result = super
      if defined?(::SQLite3::Database) && ::SQLite3::Database.method_defined?(:trace) && !::SQLite3::Database.include?(Database)
        ::SQLite3::Database.prepend(Database)
      end
      result
    end
  end

  Object.prepend(Require) if TRACE && COPY
end
